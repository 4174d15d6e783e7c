"""Headers in the style of simulations with MPI: chemistry, fluids, molecular dynamics; and what centres teach."""

from __future__ import annotations

from tests.differential.cases import blocks

CASES = blocks(r"""
== vasp
#!/bin/sh
#SBATCH -A research
#SBATCH --job-name=NN_Nb-vacancy_q-1_2-PBE-OPT
#SBATCH --mail-user=someone@example.org
#SBATCH --mail-type=ALL
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=8
#SBATCH --cpus-per-task=1
#SBATCH --output=out.%j
#SBATCH --error=err.%j
#SBATCH --time=24:00:00
#SBATCH -p debug
#SBATCH --exclusive
#SBATCH --mem-per-cpu=240
#SBATCH -C fast
ml intel intelmpi fftw
srun vasp_std
== name-with-slashes
#!/bin/bash

#SBATCH -p debug
#SBATCH --qos=normal
#SBATCH -t 12:00:00
#SBATCH -N 1
#SBATCH --ntasks-per-node=4
#SBATCH -J /home/alice/work/cobaltocene/CONTCAR_7
#SBATCH --mail-type=ALL
cd $SLURM_SUBMIT_DIR
srun vasp_gam > out
== template-not-filled
#!/bin/bash
#SBATCH -N {nodes}
#SBATCH -n {ntasks}
#SBATCH --mem=0
#SBATCH -p {queue}
mpirun vasp
== jinja-not-filled
#!/bin/bash
#SBATCH --job-name={{ name }}
#SBATCH --time={{ walltime }}
run
== mail-none-in-the-middle
#! /bin/bash
#SBATCH -N 2
#SBATCH -n 8
#SBATCH --mem=0
##SBATCH --mem-per-cpu=2G
#SBATCH -p debug
#SBATCH --requeue
#SBATCH -J relax
#SBATCH -t 60
#SBATCH -o job.oe
#SBATCH --mail-type=END,NONE,FAIL,REQUEUE
mpirun -np 8 vasp
== boxed-comments
#!/bin/bash
##########################################
#                                        #
#  Specify your SLURM directives         #
#                                        #
##########################################
# User's Mail:
#SBATCH --mail-user=someone@example.org
# When to send mail?:
#SBATCH --mail-type=BEGIN,END,FAIL
#
# Job name:
#SBATCH --job-name "hybrid run"
#SBATCH --output=slurm-%j-%x.out
#
# Standard case: specify only number of cpus
# #SBATCH --ntasks=24
#
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#
# Walltime: (days-hours:minutes:seconds)
#SBATCH --time=0-10:00:00
mpirun ./solver
== tabs-before-comments
#!/bin/bash

#SBATCH -J testjob				# name of job

#SBATCH -A research				# sponsored account

#SBATCH -p debug					# partition

#SBATCH -o testjob.out				# output

#SBATCH --mail-type=BEGIN,END,FAIL		# send email

#SBATCH --time=0-12:00:00

#SBATCH --ntasks=40
mpirun case
== nodefile-option
#!/bin/bash
#SBATCH -J testjob
#SBATCH -F ./nodes-to-use
#SBATCH --ntasks=4
mpirun case
== gromacs
#!/bin/bash
#SBATCH --job-name=gmx-npt
#SBATCH --nodes=1
#SBATCH --ntasks=2
#SBATCH --cpus-per-task=4
#SBATCH --gres=gpu:2
#SBATCH --hint=nomultithread
#SBATCH --time=0-06:00
export OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK
gmx mdrun -deffnm npt
== lammps-plane
#!/bin/bash
#SBATCH -N2
#SBATCH -n8
#SBATCH --distribution=block:cyclic
#SBATCH --threads-per-core=1
#SBATCH --mem=2G
srun lmp -in in.lj
== openfoam
#!/bin/bash
#SBATCH --ntasks=16
#SBATCH --ntasks-per-node=8
#SBATCH --job-name=interFoam
#SBATCH --time=20:00:00
#SBATCH --licenses=matlab:1
mpirun interFoam -parallel
== license-unknown
#!/bin/bash
#SBATCH -n 4
#SBATCH -L fluent@server:4
fluent 3d -g
== license-short
#!/bin/bash
#SBATCH -n 1
#SBATCH -L matlab
matlab -batch run
== one-line
#!/bin/bash
#SBATCH -N 2 --ntasks-per-node 4 -A research -p debug --job-name one:2-3_x+y -t 4:00:00 --exclusive
srun a.out
== time-and-nodes-together
#!/bin/bash
#SBATCH --time=00:30:00 --nodes=1
#SBATCH --ntasks=4 --mem-per-cpu=512M
srun a.out
== range-of-nodes
#!/bin/bash
#SBATCH --nodes=2-4
#SBATCH --ntasks=8
srun a.out
== fewer-tasks-than-nodes
#!/bin/bash
#SBATCH --nodes=4
#SBATCH --ntasks=2
srun a.out
== sockets
#!/bin/bash
#SBATCH --nodes=1
#SBATCH --ntasks-per-socket=2
#SBATCH --sockets-per-node=2
#SBATCH --cores-per-socket=2
srun a.out
== contiguous-and-switches
#!/bin/bash
#SBATCH -N 4
#SBATCH --contiguous
#SBATCH --switches=1@10:00
mpirun a.out
== core-spec
#!/bin/bash
#SBATCH -N 1
#SBATCH -S 0
#SBATCH --exclusive
srun a.out
== cpu-freq
#!/bin/bash
#SBATCH -n 1
#SBATCH --cpu-freq=Performance
#SBATCH --profile=Task
#SBATCH --acctg-freq=task=10
srun a.out
== network
#!/bin/bash
#SBATCH -N2
#SBATCH --network=sn_all,devname
srun a.out
== tmp-and-mincpus
#!/bin/bash
#SBATCH --tmp=1G
#SBATCH --mincpus=4
#SBATCH --mem=1024
./a.out
== memory-kilobytes
#!/bin/bash
#SBATCH --mem=2097152K
#SBATCH -c 2
./a.out
== memory-small-letters
#!/bin/bash
#SBATCH --mem-per-cpu=1gb --ntasks=2
./a.out
== memory-fraction
#!/bin/bash
#SBATCH --mem=1.5G
./a.out
== memory-unit-of-kubernetes
#!/bin/bash
#SBATCH --mem=4Gi
./a.out
== memory-too-much
#!/bin/bash
#SBATCH --mem=480G
#SBATCH -N 1
./a.out
== both-memories
#!/bin/bash
#SBATCH --mem=4G
#SBATCH --mem-per-cpu=1G
./a.out
== days
#!/bin/bash
#SBATCH -t 1-00:00
#SBATCH -N 1
./a.out
== beyond-the-partition
#!/bin/bash
#SBATCH --time=7-00:00:00
#SBATCH --ntasks=40
./a.out
== tiny-too-long
#!/bin/bash
#SBATCH -p tiny
#SBATCH -t 1:00:00
./a.out
== hours-with-a-letter
#!/bin/bash
#SBATCH --time=12h
./a.out
== unlimited
#!/bin/bash
#SBATCH --time=UNLIMITED
#SBATCH -p gpu
./a.out
== minutes-and-seconds
#!/bin/bash
#SBATCH --time=90:30
./a.out
== two-partitions
#!/bin/bash
#SBATCH --partition=debug,gpu
#SBATCH -n 2
./a.out
== unknown-partition
#!/bin/bash
#SBATCH --partition=standard
#SBATCH -n 2
./a.out
== placeholder-partition
#!/bin/bash
#SBATCH --partition=<your-partition>
#SBATCH --account=<project>
./a.out
== constraint-or
#!/bin/bash
#SBATCH --constraint="fast|slow"
./a.out
== constraint-count
#!/bin/bash
#SBATCH -N 2
#SBATCH --constraint="[fast*2]"
./a.out
== overcommit
#!/bin/bash
#SBATCH -n 16
#SBATCH -N 1
#SBATCH --overcommit
#SBATCH --oversubscribe
./a.out
== share-of-old
#!/bin/bash
#SBATCH --share
./a.out
== workdir-of-old
#!/bin/bash
#SBATCH --workdir=/home/alice
./a.out
== chdir
#!/bin/bash
#SBATCH --chdir=/tmp
#SBATCH --output=result.txt
./a.out
== tasks-per-node-alias
#!/bin/bash
#SBATCH -A research
#SBATCH --time=12:00:00

#SBATCH -p debug
#SBATCH --nodes=2
#SBATCH --tasks-per-node=4
srun a.out
== no-kill
#!/bin/bash
#SBATCH -N 2
#SBATCH --no-kill
#SBATCH --no-requeue
srun a.out
== mem-bind
#!/bin/bash
#SBATCH -n 4
#SBATCH --mem-bind=local
#SBATCH --ntasks-per-core=1
srun a.out
== extra-node-info
#!/bin/bash
#SBATCH -B 1:4:1
srun a.out
== input-file
#!/bin/bash
#SBATCH --input=case.inp
#SBATCH --output=/dev/null
#SBATCH --error=none
srun a.out
== burst-buffer
#!/bin/bash
#SBATCH -N 1
#SBATCH --bb="capacity=100G access_mode=striped"
srun a.out
""")
