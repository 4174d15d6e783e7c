"""Where and on how much a job runs: every option for it, every form of value, and what they do to each other.

A line is a script's directives, separated by semicolons. Refused ones are here as well: both sides must refuse them.
"""

from __future__ import annotations

import re
from typing import Final

COUNTS: Final = """
-n 3
-n +3
-n " 3"
-n "3 "
-n 05
-n 0
-n -1
-n 2k
-n 2-4
-n 2147483648
-n -N2
--ntasks=2; --ntasks=3
--tasks-per-node=2
--ntasks-per-node=3
--ntasks-per-node=0
--ntasks-per-core=2
--ntasks-per-core=1.5
--ntasks-per-socket=2
--ntasks-per-socket=0
-c 3
-c 0
-c 1.5
--cpus-per-task=2; -c 4
--mincpus=4
--mincpus=0
--mincpus=two
-O
--overcommit=yes
"""

NODES: Final = """
-N 2
-N 0
-N 2-4
-N -4
-N 0-2
-N 2k
-N 1K-2K
-N 1M
-N +2
-N " 2"
-N 1,3-5
-N 1-15:2
-N 2-5:3
-N 4-4:2
-N 2,4
-N 1,1
-N 5,3
-N 2-
-N 4-2
-N 2k-4
-N 2:4
-N 1-15:0
-N two
-N 2kk
-N 1-8*2
-N ,3
-N 2-4-6
--use-min-nodes; -N1-2
--spread-job; -N2
--contiguous
"""

PARTS_OF_A_NODE: Final = """
--sockets-per-node=2
--sockets-per-node=1-2
--sockets-per-node=*
--cores-per-socket=2
--cores-per-socket=0
--threads-per-core=1
--threads-per-core=2
--threads-per-core=*
-B 1
-B 1:2
-B 2:4:1
-B *:2:1
-B *
-B 1-2:1-4:1-2
-B 1:2:1:1
-B a
-B 1:b
--extra-node-info=2
--core-spec=1
--core-spec=-1
--thread-spec=1
--thread-spec=0
--hint=nomultithread
--hint=NoMultiThread
--hint=multithread
--hint=compute_bound
--hint=memory_bound
--hint=compute_bound,memory_bound
--hint=memory_bound,compute_bound
--hint=foo
--hint=
--hint=nomultithread,
-m block
-m cyclic:block:fcyclic
-m block:*:cyclic
-m *
-m block,NoPack
-m BLOCK,pack
-m plane=4
-m plane
-m plane=0
-m plane:4
-m plane=4,pack
-m fcyclic
-m block:foo
-m arbitrary
-m bl
--distribution=
"""

MEMORY: Final = """
--mem=0
--mem=500
--mem=1025K
--mem=4G
--mem=1gb
--mem=1TB
--mem=05G
--mem=+5
--mem=1.5G
--mem=1GiB
--mem=1B
--mem=1P
--mem=-1
--mem="1 G"
--mem=unlimited
--mem=1G; --mem=2G
--mem-per-cpu=200M
--mem-per-cpu=0
--mem-per-cpu=1Gi
--mem-per-gpu=1G; --gpus=1
--mem-per-gpu=0; --gpus=1
--mem-per-gpu=1G
--mem=1G; --mem-per-cpu=100
--mem-per-cpu=100; --mem=0
--mem-per-gpu=1G; --mem=5; --gpus=1
--mem-per-gpu=1G; --mem-per-cpu=5; --gpus=1
--tmp=10G
--tmp=0
--tmp=1025K
--tmp=-1
--mem-bind=local
--mem-bind=verbose,rank,p
--mem-bind=map_mem:0,1
--mem-bind=mask_mem:0x1,0x2
--mem-bind=map_mem
--mem-bind=foo
--mem-bind=sort
--mem-update=10@5
--mem-update=10
--mem-update=0@0
--oom-kill-step
--oom-kill-step=0
--oom-kill-step=2
"""

GPUS: Final = """
--gpus=2
--gpus=0
--gpus=a100:2
--gpus=a100:1,v100:2
--gpus=a100
--gpus=2k
--gpus=1,
--gpus=
--gpus=a100:
-G 1
--gpus-per-node=2
--gpus-per-node=a100:2
--gpus-per-task=1
--gpus-per-task=1; -n 2
--gpus-per-task=0; -n2
--gpus-per-task=a100:1; -n2
--gpus-per-task=a:1,b:1; -n2
--gpus-per-task=2k; -n2
--gpus-per-task=a; -n2
--gpus-per-task=1,2; -n2
--gpus-per-socket=1
--gpus-per-socket=1; --sockets-per-node=2
--gpus-per-socket=1; -B 2
--cpus-per-gpu=2
--cpus-per-gpu=0; --gpus=1
--cpus-per-gpu=2; --gpus=2
--cpus-per-gpu=2; --gres=gpu:2
--ntasks-per-gpu=2
--ntasks-per-gpu=2; --gpus=2
--ntasks-per-tres=2; --gpus=2
--gpu-bind=closest
--gpu-bind=verbose,closest
--gpu-bind=single:2
--gpu-bind=map_gpu:0,1
--gpu-bind=mask_gpu:0x3
--gpu-bind=map:0
--gpu-bind=none
--gpu-bind=v,closest
--gpu-bind=single
--gpu-bind=foo
--gpu-freq=high
--gpu-freq=900,memory=low,verbose
--gpu-freq=HIGH
--gpu-freq=gpu=high
--gres=gpu
--gres=gpu:2
--gres=gpu:a100:1
--gres=gpu:1k
--gres=gpu:0
--gres=gpu:1,widget:2
--gres=gpu=2
--gres=gres/gpu:2
--gres=gres:gpu:2
--gres=none
--gres=NONE
--gres=gpu,none
--gres=gpu,
--gres=gpu:
--gres=gpu/2
--gres=gpu:2:a100
--gres=Gpu
--gres=foo
--gres-flags=disable-binding
--gres-flags=Enforce-Binding
--gres-flags=multiple-tasks-per-sharing
--gres-flags=disable-binding,enforce-binding
--gres-flags=allow-task-sharing
--gres-flags=foo
--tres-bind=gres/gpu:closest
--tres-bind=gres/gpu:closest+gres/widget:closest
--tres-bind=gpu:closest
--tres-per-task=cpu=2
--tres-per-task=cpu:2
--tres-per-task=gres/gpu=1; -n2
--tres-per-task=gres/gpu:a100:1; -n2
--tres-per-task=gres/gpu:a=1,gres/gpu:b=2; -n2
--tres-per-task=cpu=2,gres/gpu=1; -n2
--tres-per-task=gres/widget=1; -n2
--tres-per-task=gres/gpu=1
--tres-per-task=mem=1G
--tres-per-task=cpu=0
--tres-per-task=gpu=1; -n2
"""

PLACE: Final = """
-C fast
-C fast,fast
-C "fast&fast"
-C "[fast|fast]"
-C "fast*2"
-C slow
-C "fast fast"
--constraint=
--prefer=fast
--prefer=slow
--exclusive
--exclusive=user
--exclusive=USER
--exclusive=mcs
--exclusive=topo
--exclusive=exclusive
--exclusive=
--exclusive=oversubscribe
--exclusive=node
--exclusive=no
-s
--oversubscribe=yes
-w n1
-w n1,n2
-w n2,n1
-w n[1-3]
-w n[1-2],n[4-5]
-w n1,n1
-w n1,
-w " n1"
-w foo
-w n[1-
-w n[01-03]
-w ./nodes
-x n1
-x n2,n1
-x n[1-3]
-x foo
-x /etc/nodes
-F /home/alice/nodes
--switches=2
--switches=2@1
--switches=2@1:30
--switches=2@0
--switches=2@
--switches=2@a
--switches=0
--switches=@60
--segment=2
--segment=0
--segment=a
--segment=2; -N4
--segment=3; -N4
--segment=2; -N3-4
--segment=2; -N2-4
--segment=2; -N1-3
--segment=2; -N2,3
--segment=2; -N2-9:3
--consolidate-segments; --segment=2
--spread-segments; --segment=2; -N4
"""

FACILITIES: Final = """
-L matlab
-L matlab:2
-L matlab:1,matlab:1
-L matlab=2
-L matlab:9
-L foo
--resources=matlab
-L matlab; --resources=matlab:2
--network=sn_all
--bb="capacity=10G access=striped"
--cpu-freq=high
--cpu-freq=HIGH
--cpu-freq=2000000
--cpu-freq=low-high:OnDemand
--cpu-freq=1000-2000
--cpu-freq=Performance
--cpu-freq=high-low
--cpu-freq=0
--cpu-freq=high:performance
--cpu-freq=foo
--cpu-freq=1000-2000:foo
--reboot
--stepmgr
--resv-ports=2
--resv-ports=a
"""

TASKS_AND_NODES: Final = """
-n2; -N4
-n3; -N2-4
-n1; -N2-4
-n5; -N2-4
-N0; -n2
-N2,4; -n3
-N1,3-5; -n4
-N1,3-5; -c2
-N2,4; --ntasks-per-node=2
-N2; -c3
-N2; -n4; -c2
-N2-4; -c3
-N2; --ntasks-per-node=3
-N2; --ntasks-per-node=3; -c2
-N2-4; --ntasks-per-node=3
-N2-4; --ntasks-per-node=3; -c2
-N1-3; --ntasks-per-node=1
-N0; --ntasks-per-node=1
-N2; -n8; --ntasks-per-node=2
-N2; -n8; --ntasks-per-node=4
-n8; --ntasks-per-node=4
-n8; --ntasks-per-node=3
-n2; --ntasks-per-node=4
-n2; --ntasks-per-node=4; -N2
--ntasks-per-node=4; -c2; --mincpus=3
-c4; --mincpus=2
-c2; --mincpus=4
-n4; --mincpus=6
--ntasks-per-core=2; -c2
--ntasks-per-core=4; --threads-per-core=2
--ntasks-per-core=2; --threads-per-core=2
--ntasks-per-core=2; -B 1:1:1
-O; -n 20
-O; -N2; -n4
-O; -n4; -c2
-O; --ntasks-per-node=4
-O; -B 2:2:2
-w n[1-3]; -N2
-w n[1-3]; -N3
-w n[1-3]; -N4
-w n[1-3]; -N1-5
-w n[1-3]; -N2-3
-w n[1-3]; -n2
-w n[4-6]; -n2
-w n[1-3]; -n5
-w n[1-3]; -n2; -N3
-w n[1-3]; --ntasks-per-node=2
-w n[1-3]; -B 2:2:2
-w n1,n1,n2; -n3
-w n1; -x n1
-m arbitrary; -w n[1-2]
-m arbitrary; -w n1,n1,n2
-m arbitrary; -w n2,n1; -n2
-m arbitrary; -w n[1-2]; -N2
-m plane=4; -N3; -n4
-m plane=4; -N2; -n5
-m plane=4; -N3
-m plane=2; -N0
-m plane=2; -N3; --ntasks-per-node=2
-m block; --switches=1
"""

CORES_AND_TASKS: Final = """
-B 2:2:2; -n4
-B 2:2:2; -N2
-B 2:2:2; -N2-3
-B 2:2:2; -c2
-B 2:2:2; --ntasks-per-node=2
-B 2; -N2
-B 2:2; --threads-per-core=2
--threads-per-core=2; -B 2:2
--sockets-per-node=4; -B 2:2:1
-B 2:2:1; --sockets-per-node=4
--sockets-per-node=2; --cores-per-socket=2; --threads-per-core=1
-N2; --threads-per-core=2
-N2; --sockets-per-node=2
-N2-3; --threads-per-core=2
-w n[1-2]; --threads-per-core=1
-N2; --hint=nomultithread
-N2; --hint=memory_bound
--hint=multithread; --sockets-per-node=2
--hint=multithread,memory_bound
--hint=nomultithread,multithread
--hint=nomultithread; -n4
--hint=nomultithread; --threads-per-core=2
--threads-per-core=2; --hint=nomultithread
--hint=nomultithread; --ntasks-per-core=1
--hint=nomultithread; -B 2:2:2
--hint=compute_bound; --sockets-per-node=2
--hint=compute_bound; --cores-per-socket=2
--hint=memory_bound; --sockets-per-node=2
--hint=memory_bound; -n4; -c2
--hint=multithread; --threads-per-core=2
--exclusive; -s
-s; --exclusive
--exclusive=user; -s
--core-spec=1; --thread-spec=1
--core-spec=1; --exclusive
-N2; --exclusive; --mem=0
"""

GPUS_AND_TASKS: Final = """
--gpus-per-task=2; --gpus=4
--gpus-per-task=2; --gpus=3
--gpus-per-task=2; --gpus=4; -n2
--gpus-per-task=2; --gpus=4; -n3
--gpus-per-task=2; --gpus=4; -c3
--gpus-per-task=1; -N2
--gpus-per-task=1; -N2; -c3
--gpus-per-task=1; -N2; --ntasks-per-node=2
--gpus-per-task=1; --ntasks-per-node=2
--gpus-per-task=1; -n2; -N2; --gpus-per-node=1
--gpus-per-task=1; -n4; --gpus-per-node=2
--gpus-per-task=1; -n4; --gres=gpu:2; --ntasks-per-node=1
--gpus-per-task=1; -n2; -c2
--gpus-per-task=1; -n2; -N4
--gpus-per-task=1; -n2; --gpu-bind=closest
--gpus-per-task=1; -n2; --tres-bind=gres/gpu:closest
--gpu-bind=single:1; --tres-bind=gres/gpu:closest
--tres-bind=gres/gpu:closest; --gpu-bind=single:1
--gpus-per-node=2; --gpus-per-task=1; -N2
--gpus=2; --gpus-per-task=1; --gpus-per-node=1
--gpus-per-socket=1; --sockets-per-node=1; --gpus-per-task=1; -n2
--gpus-per-node=1; --gpus=2
--gpus-per-node=2; --gpus=3
--gpus-per-node=1; --gpus=4; -N2
--gpus-per-node=1; --gpus=2; -n2
--gpus-per-node=a:2; --gpus=b:2
--gpus-per-node=2; --gpus=b:2
--gres=gpu:1; --gpus=2
--gres=gpu:1; --gpus=2; -N1-4
--gres=gpu:1; --gpus=2; -N4
--gres=gpu; --gpus-per-node=1
--gres=widget:1; --gpus-per-node=1
--gres=widget:1; --gpus=2
-N2; --gpus=1
-N2; --gpus=4
-N2-4; --gpus=3
-N1-3; --gpus=2
--ntasks-per-gpu=2; --gpus=2; -n3
--ntasks-per-gpu=2; -n4
--ntasks-per-gpu=2; -n3
--ntasks-per-gpu=2; -n4; -N2
--ntasks-per-tres=1; --gpus-per-node=0
--ntasks-per-tres=1; --gpus-per-node=0; -n2
--ntasks-per-tres=1
--ntasks-per-tres=1; --gpus=0
--ntasks-per-gpu=1; --gpus-per-node=0; -N1
--ntasks-per-gpu=2; --gpus-per-node=0; -N2
--gpus-per-node=0
--ntasks-per-gpu=1; --gpus-per-node=0
--ntasks-per-tres=1; --gpus-per-node=gpu:0
--ntasks-per-gpu=1; --gres=gpu:0
--ntasks-per-gpu=1; --gres=gpu:0; -N2
--ntasks-per-gpu=2; --gres=gpu:0; -n3
--ntasks-per-gpu=2; --gpus=0; -n4
--ntasks-per-gpu=2; --gpus-per-socket=0; --sockets-per-node=2
--gpus-per-task=0
--gpus-per-task=a100:
--gpus-per-task=a:b:c; -n2
--gpus=0; --gpus-per-task=1
--gpus=0; --gpus-per-node=1
--gpus=2; --gpus-per-node=0
--gpus=0; --cpus-per-gpu=2
--gpus=0; --mem-per-gpu=2
--ntasks-per-gpu=2; --gpus=a100:0,b:0
--gpus-per-task=0; --gpus=0
--gpus-per-task=1; --gpus=0
--gpus-per-task=1; --gpus=0; -n2
--gpus-per-task=0; --gpus=4
--gpus-per-task=0; --gpus-per-node=1
--gpus-per-node=0; --ntasks-per-gpu=2; -N2; -n4
--gres=gpu:0; --gpus-per-node=2
--gpus-per-node=0; --cpus-per-gpu=1; --ntasks-per-gpu=2; -N2
--gres=tape:0; --ntasks-per-gpu=1
--gpus-per-socket=0; --sockets-per-node=1; --gpus-per-task=1; -n2
--gpus-per-task=1; --gpus-per-node=0
--ntasks-per-gpu=2; -N2
--ntasks-per-gpu=2; -n1
--ntasks-per-gpu=1; -w n[1-2]
--gpus-per-task=1; -w n[1-2]
--gpus-per-task=1; -N0
--ntasks-per-gpu=2; --gpus-per-node=2; -N2
--ntasks-per-gpu=2; --gres=gpu:2; -N2
--ntasks-per-gpu=1; --gpus-per-node=2; -N1-2
--ntasks-per-gpu=2; --gpus=a100:1,v100:1
--ntasks-per-gpu=1; --gpus=4; -c2
--ntasks-per-gpu=2; --gpus-per-task=1; -n2
--ntasks-per-gpu=2; --gpus=2; --ntasks-per-node=2
--ntasks-per-gpu=2; --gpus-per-socket=1; --sockets-per-node=1
--ntasks-per-tres=2; --ntasks-per-gpu=2; --gpus=2
--ntasks-per-tres=2; --ntasks-per-gpu=3; --gpus=2
--cpus-per-gpu=2; --gpus=2; -c2
--cpus-per-gpu=2; --gpus=2; -n2
--cpus-per-gpu=2; --gpus-per-node=1; -N2
--cpus-per-gpu=2; --gpus-per-node=2; -N1-3
--cpus-per-gpu=2; --gpus-per-task=1; -n2
--cpus-per-gpu=2; --gpus-per-task=1; --gpus=2
--mem-per-gpu=100; --gpus-per-node=2; -N2
--mem-per-gpu=100; --gpus-per-task=1; -n2
--tres-per-task=cpu=2; -c2
--tres-per-task=cpu=2; --cpus-per-gpu=1; --gpus=1
--tres-per-task=gres/gpu=1; -c3; -n2
--tres-per-task=gres/gpu=1; --gpus=2
--tres-per-task=gres/gpu=1; --gpus-per-task=2; -n2
--tres-per-task=gres/widget=1; --gpus-per-task=2; -n2
--tres-per-task=gres/gpu=1; --ntasks-per-gpu=1; -n2
--tres-per-task=gres/gpu=1; -n2; --gpu-bind=closest
"""

GROUPS: Final = {
    "counts": COUNTS,
    "nodes": NODES,
    "parts": PARTS_OF_A_NODE,
    "memory": MEMORY,
    "gpus": GPUS,
    "place": PLACE,
    "facilities": FACILITIES,
    "tasks-nodes": TASKS_AND_NODES,
    "cores-tasks": CORES_AND_TASKS,
    "gpus-tasks": GPUS_AND_TASKS,
}


def _script(line: str) -> str:
    directives = "".join(f"#SBATCH {directive}\n" for directive in line.split("; "))
    return f"#!/bin/sh\n{directives}true\n"


def _name(group: str, number: int, line: str) -> str:
    """`nodes-03-N-2-4`."""
    return f"{group}-{number:02}-{re.sub('[^A-Za-z0-9]+', '-', line).strip('-')[:28].strip('-')}".rstrip("-")


CASES: Final[tuple[tuple[str, str], ...]] = tuple(
    (_name(group, number, line), _script(line))
    for group, lines in GROUPS.items()
    for number, line in enumerate(lines.strip().splitlines(), 1)
)
"""Name and script."""
