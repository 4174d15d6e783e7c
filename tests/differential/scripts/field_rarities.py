"""Headers with what is rarer in the field: bindings, profiles, several signals, old habits, other centres' plug-ins."""

from __future__ import annotations

from tests.differential.cases import blocks

CASES = blocks(r"""
== tasks-is-a-prefix
#!/bin/bash -l
#SBATCH --job-name==minimap2
#SBATCH --cpus-per-task=1
#SBATCH --mem-per-cpu=500M
#SBATCH --tasks=1
#SBATCH --nodes=1
minimap2
== energy-plug-in
#!/bin/bash
#SBATCH -J dyn_C
#SBATCH -o ./%x.%j.out
#Initial working directory:
#SBATCH --chdir=./
#SBATCH --ear=off
#SBATCH --time=10:30:00
run
== mail-start
#!/bin/bash
#SBATCH --mail-type=START,END
#SBATCH --no-requeue
#SBATCH --export=ALL
run
== mail-end-start
#!/bin/bash
#SBATCH --mail-type=END,START
run
== mail-on-four-lines
#!/bin/bash
#SBATCH --mail-user=someone@example.org
#SBATCH --mail-type=BEGIN
#SBATCH --mail-type=END
#SBATCH --mail-type=FAIL
#SBATCH --mail-type=TIME_LIMIT_90
#SBATCH --profile=all
#SBATCH --output=fit_%A_%a_%j.out
#SBATCH --time=00-08:00:00
#SBATCH --cpus-per-task=8
run
== login-environment
#!/usr/bin/bash

#SBATCH --time=15:59:59
#SBATCH --open-mode=append
#SBATCH --export=NONE
#SBATCH --get-user-env=L
ml Anaconda3
== export-a-path
#!/bin/bash
#SBATCH --export=/usr/local/cuda/bin
#SBATCH --gres=gpu:1
cmake -B build
== signal-by-number
#!/bin/bash
#SBATCH --job-name=cellranger          # Job name
#SBATCH --time=0-03:00                 # Runtime in D-HH:MM
#SBATCH --signal=2                     # near the end
run
== signal-alone
#!/bin/bash -l
#SBATCH --chdir /home/alice/bench
#SBATCH --signal=USR2
run
== signals-twice
#!/bin/bash
#SBATCH --signal=B:SIGTERM@30
#SBATCH --signal=SIGTERM@60
#SBATCH --gres=gpu:1
#SBATCH --cpus-per-task=8
run
== time-zero
#! account
#!/bin/bash
#SBATCH --time=00:00:00
run
== hash-bang-comments
#!/bin/bash
#! number of nodes
#SBATCH --nodes=3
#! total task numbers
#SBATCH --ntasks=3
#! memory limit
##SBATCH --mem 100M
#! time limit
#SBATCH --time=00:00:00
#SBATCH --switches=1
#SBATCH --output /home/%u/work/slurm-std-%A.out
#SBATCH --exclusive
srun run
== another-cluster
#!/bin/bash
#SBATCH --nodes=1
#SBATCH --clusters astrolab
run
== switches-minutes-and-seconds
#!/bin/bash
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=2
#SBATCH --exclusive
#SBATCH --switches=1@00:30:00
#SBATCH --partition=gpu
run
== stars-in-node-info
#!/bin/bash -e

#SBATCH --ntasks=2
#SBATCH --cpus-per-task=2
#SBATCH --mem-per-cpu=950
#SBATCH --extra-node-info=1:*:1     # at least one free socket
#SBATCH --distribution=*:block:*    # tasks on the same socket
#SBATCH --mem-bind=local
#SBATCH --profile=task
srun vasp_std
== cores-of-any-socket
#!/bin/bash
#SBATCH --partition debug
#SBATCH --mem 2G
#SBATCH -c 1
#SBATCH -B *:7
run
== node-info-and-tasks
#!/bin/bash
#SBATCH -o ng_%j.out
#SBATCH -N 1
#SBATCH -n 1
#SBATCH -B 2:4:1
#SBATCH --threads-per-core=1
#SBATCH --cpus-per-task=8
#SBATCH --hint=compute_bound
#SBATCH -t 24:00:00
run
== node-info-many-nodes
#!/bin/sh
#SBATCH -B 1:8:1
#SBATCH --threads-per-core=1
#SBATCH --cpus-per-task=8
#SBATCH -N 3
#SBATCH -n 3
run
== begin-short
#!/bin/bash
#SBATCH -J tournament
#SBATCH -c 8
#SBATCH --mem=1G
#SBATCH -x n6
#SBATCH -b 23:00
run
== gpu-bind-verbose
#!/bin/bash
#SBATCH --mem=4g
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --ntasks-per-socket=1
#SBATCH --cpus-per-task=4
#SBATCH --gpus-per-node=1
#SBATCH --gpu-bind=verbose,closest
run
== sockets-of-one-node
#!/bin/bash
#SBATCH --ntasks=2
#SBATCH --cpus-per-task=4
#SBATCH --ntasks-per-socket=1
#SBATCH --nodes=1
#SBATCH --mem-per-cpu=200
srun run
== sockets-and-cores
#!/bin/bash
#SBATCH --nodes=1 # Number of nodes (how many compute boxes)
#SBATCH --ntasks=1 # Number of MPI ranks (nodes*ntasks-per-node)
#SBATCH --ntasks-per-node=1 # How many tasks on each box (which has two socket)
#SBATCH --ntasks-per-socket=5 # How many tasks on each socket
#SBATCH --ntasks-per-core=1 # How many tasks on each core
#SBATCH --cpus-per-task=4 # Number of CPUs per MPI rank
#SBATCH --gres=gpu:1 # Number of GPUs per
#SBATCH --mem-per-cpu=2G\\ # Memory per processor
#SBATCH --array=1 # job array with index values 1, 2, 3
#SBATCH --mail-type=begin # at the beginning
run
== one-node-range
#!/usr/bin/env bash
#SBATCH --constraint=fast
#SBATCH --mem=2GB
#SBATCH --nodes=1-1
#SBATCH --ntasks=1
#SBATCH --ntasks-per-socket=1
#SBATCH --mem-bind=local
#SBATCH --exclusive=user
#SBATCH --array=1-40
run
== err-and-out-abbreviated
#!/bin/bash
#SBATCH --mem=1230
#SBATCH --err=test.err
#SBATCH --out=test.out
#SBATCH --qos=normal
run
== padded-pattern
#!/bin/bash
#SBATCH --requeue
#SBATCH --output=out/%x.slurm_out.%j-%2t.%a
#SBATCH --mem=1G
nextflow run main.nf
== columns
#!/bin/bash -e
#SBATCH --job-name      gpu-test
#SBATCH --account       research
#SBATCH --time          00:15:00
#SBATCH --gpus-per-node 1
#SBATCH --cpus-per-task 4
#SBATCH --mem           3GB
#SBATCH --profile       task
#SBATCH --acctg-freq    1
#SBATCH --output        gpu-test-%j.out
run
== columns-with-notes
#!/bin/bash -e
#SBATCH --job-name      gpu-test
#SBATCH --time          00:15:00    (1)
run
== two-options-on-a-line
#!/bin/bash
#SBATCH --nodes=1 -C fast
#SBATCH --ntasks-per-node=1
#SBATCH --open-mode=append
run
== feature-with-a-colon
#!/bin/bash
#SBATCH --constraint="CPU_EXT:AVX-512"   #essential
#SBATCH --nodes=1
run
== feature-in-brackets
#!/bin/bash
#SBATCH --get-user-env                # the login environment
#SBATCH --constraint="[a5000|a6000|3090]"
run
== excluded-in-quotes
#!/bin/sh
#SBATCH --signal=USR1@120 # how to end the job
#SBATCH --time=1400
#SBATCH --exclude="n1,n2,n5"
run
== comment-with-blanks-before-the-word
#!/bin/bash
#SBATCH --ntasks=1                  # number of tasks
#SBATCH --hint=nomultithread         # physical cores
#SBATCH --distribution=block:block   # contiguous cores
#   SBATCH -C nothing
run
== no-pack
#!/usr/bin/env bash
#SBATCH -t 01:00:00
#SBATCH -N 4
#SBATCH --ntasks-per-node=4
#SBATCH --cpus-per-task=2
#SBATCH --distribution=block:cyclic:cyclic,NoPack
srun run
== cyclic
#!/bin/sh
#SBATCH --ntasks=12
#SBATCH --exclusive
#SBATCH --distribution=cyclic
##SBATCH --nodelist=n[1-3,5-6]
#SBATCH --exclude=n[1-2],n[5-6]
run
== tasks-of-a-node-and-threads
#!/bin/bash -l
#SBATCH -N 1
#SBATCH -n 2
#SBATCH --threads-per-core=2
#SBATCH --tasks-per-node=64
#SBATCH --switches=1
srun run
== hint-and-threads
#!/bin/bash -l
#SBATCH --ntasks-per-node=2
#SBATCH --cpus-per-task=4
#SBATCH --threads-per-core=1
#SBATCH --hint=nomultithread
srun run
== hint-memory-bound
#!/bin/bash
#SBATCH --nodes=1
#SBATCH --ntasks=2
#SBATCH --hint=memory_bound
srun run
== hint-multithread-task-core
#!/bin/bash
#SBATCH --ntasks-per-core=1
#SBATCH --ntasks-per-node=1
#SBATCH --hint=multithread
run
== account-in-quotes
#!/bin/bash -l
#SBATCH --job-name="sum_omp"
#SBATCH --account="research"
#SBATCH --output="sum.LOG"
run
== account-with-an-at-sign
#!/bin/bash
#SBATCH -A drd@cpu
run
== all-array-mails
#!/bin/bash
#SBATCH --mail-type=ALL,ARRAY_TASKS
#SBATCH --array=0-1
run
== directives-behind-a-function
#!/bin/bash
#SBATCH -t 1
write()
{
  echo "#SBATCH -n 4" >> job.sh
}
#SBATCH -n 8
== source-first
#!/bin/sh

#source /etc/profile.d/modules.sh

#SBATCH -N 2
module load Python
== load-leveler
#!/bin/bash
#@ class = micro
#@ node = 1
#@ wall_clock_limit = 48:00:00
#@ queue

#SBATCH -o job.%j.out
#SBATCH -N 1
#SBATCH --tasks-per-node=1
run
== moab
#!/bin/bash
#MSUB -l nodes=1:ppn=4
#SBATCH -N 1
run
== flux
#!/bin/bash
#FLUX: -N 4
#SBATCH -N 1
run
== csh
#!/bin/csh
#SBATCH --ntasks=1
#SBATCH --switches=1 # if possible!
#SBATCH -t 20:00:00 # wallclock limit SS or MM:SS or HH:MM:SS, DD-HH, etc.
hostname
== kb-memory
#!/bin/bash
#SBATCH --mem=49000KB
#SBATCH --time 00:45:00        # Walltime, format: HH:MM:SS
run
== gpus-per-task-and-many
#!/usr/bin/env bash
#SBATCH --nodes=1
#SBATCH --ntasks=2
#SBATCH --ntasks-per-node=2
#SBATCH --cpus-per-task=2
#SBATCH --gpus-per-task=1
#SBATCH --mem=5G
#SBATCH --signal=USR1@90
#SBATCH --nice=0
#SBATCH --distribution=block:block
run
""")
