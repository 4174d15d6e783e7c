"""Headers in the style of arrays, chains and workflow engines, and heterogeneous jobs."""

from __future__ import annotations

from tests.differential.cases import blocks

CASES = blocks(r"""
== array-throttled
#!/bin/bash
#SBATCH --job-name=sweep
#SBATCH --array=0-99%10
#SBATCH --output=logs/%A_%a.out
#SBATCH --error=logs/%A_%a.err
#SBATCH --time=48:00:00
#SBATCH -p gpu
#SBATCH -c 8
#SBATCH --mem=3GB
python run.py $SLURM_ARRAY_TASK_ID
== array-zero-padded
#!/bin/bash
# $1: first, $2: last
#SBATCH --job-name=09-opauc
#SBATCH --output=/home/alice/logs/array_%A_%02a.out
#SBATCH --array=00-24
#SBATCH --nodelist=n3
#SBATCH --partition=debug
#SBATCH --mem=2G
#SBATCH --ntasks=1
./test.py
== array-of-shell-variables
#!/bin/bash
#SBATCH --array=$1-$2
#SBATCH --partition=$3
./test.py
== array-twice
#!/bin/bash
#SBATCH --array=1-100
#SBATCH --exclude=n[2,4]
#SBATCH --error=error.txt
#SBATCH --array=1-10
./test.py
== array-list
#!/bin/bash
#SBATCH --array=1,2,5,19,27
./test.py
== array-step
#!/bin/bash
#SBATCH --array=1-7:2
./test.py
== array-single
#!/bin/bash
#SBATCH -a 7
./test.py
== array-reversed
#!/bin/bash
#SBATCH --array=10-1
./test.py
== array-mail
#!/bin/bash
#SBATCH --array=1-3
#SBATCH --mail-type=ARRAY_TASKS,FAIL
#SBATCH --mail-user=someone@example.org
./test.py
== snakemake
#!/bin/bash
# properties = {"type": "single", "rule": "map", "threads": 4}
#SBATCH --job-name=smk-map-12
#SBATCH --cpus-per-task=4 --mem=2000 --time=60
#SBATCH --output=.snakemake/slurm_logs/rule_map/%j.log --export=ALL
cd /home/alice && snakemake --snakefile Snakefile map
== nextflow
#!/bin/bash
#SBATCH -D /home/alice/work/3f/a1b2c3
#SBATCH -J nf-FASTQC_(sample_1)
#SBATCH -o /home/alice/work/3f/a1b2c3/.command.log
#SBATCH --no-requeue
#SBATCH --signal B:USR2@30
#SBATCH -c 2
#SBATCH -t 01:00:00
#SBATCH --mem 2048M
#SBATCH -p debug
NXF_CHDIR=/home/alice/work/3f/a1b2c3
== cromwell
#!/bin/bash
#SBATCH -J cromwell_1a2b3c_call
#SBATCH -D /home/alice/cromwell
#SBATCH -o /home/alice/cromwell/stdout
#SBATCH -e /home/alice/cromwell/stderr
#SBATCH -t 600
#SBATCH -p debug
#SBATCH -c 2
#SBATCH --mem 3000
bash script
== dask
#!/usr/bin/env bash

#SBATCH -J dask-worker
#SBATCH -p debug
#SBATCH -A research
#SBATCH -n 1
#SBATCH --cpus-per-task=8
#SBATCH --mem=7G
#SBATCH -t 01:00:00
python -m distributed.cli.dask_worker
== jupyter
#!/bin/bash
#SBATCH --partition debug
#SBATCH --nodes 1
#SBATCH --ntasks-per-node 1
#SBATCH --mem-per-cpu 2G
#SBATCH --time 0-8:00:00
#SBATCH --job-name jupyter-notebook
#SBATCH --output jupyter-notebook-%J.log
jupyter-lab --no-browser
== ray
#!/bin/bash
# shellcheck disable=SC2206
#SBATCH --job-name=ray-cluster
#SBATCH --cpus-per-task=2
#SBATCH --mem-per-cpu=500M
#SBATCH --nodes=4
#SBATCH --tasks-per-node=1
#SBATCH --time=00:30:00
set -x
== r-script
#!/usr/bin/env Rscript
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
print(Sys.getenv("SLURM_JOB_ID"))
== matlab
#!/bin/tcsh
#SBATCH -N 1
#SBATCH -n 1
#SBATCH -t 00:30:00
#SBATCH --mail-type=end
#SBATCH --mail-user=someone@example.org
module load matlab
== singleton
#!/bin/bash
#SBATCH --job-name=anchor
#SBATCH --dependency=singleton
#SBATCH -t 4:00:00
./continue
== after-ok
#!/bin/bash
#SBATCH --dependency=afterok:@ANCHOR@
#SBATCH --kill-on-invalid-dep=yes
./second
== after-any-or
#!/bin/bash
#SBATCH -d afterany:@ANCHOR@?afternotok:@ANCHOR@
./second
== after-minutes
#!/bin/bash
#SBATCH --dependency=after:@ANCHOR@+5,singleton
#SBATCH -J anchor
./second
== after-an-unknown
#!/bin/bash
#SBATCH --dependency=afterok:12
./second
== after-a-variable
#!/bin/bash
#SBATCH --dependency=afterok:$JOBID
./second
== begin-tonight
#!/bin/bash
#SBATCH --begin=23:30
#SBATCH --deadline=now+3days
#SBATCH --time=10
./night
== begin-date
#!/bin/bash
#SBATCH --begin=2035-01-20T12:34:00
./later
== time-min
#!/bin/bash
#SBATCH --time=10:00:00
#SBATCH --time-min=2:00:00
./flexible
== qos-short
#!/bin/bash
#SBATCH --qos=short
#SBATCH --time=5
#SBATCH --wckey=paper
./flexible
== qos-unknown
#!/bin/bash
#SBATCH --qos=debug
./flexible
== parsable-and-quiet
#!/bin/bash
#SBATCH --parsable
#SBATCH --quiet
#SBATCH -n 2
./flexible
== hold
#!/bin/bash
#SBATCH --hold
#SBATCH --priority=1000
./flexible
== het-one-line-each
#!/bin/bash
#SBATCH -N 2 --ntasks-per-node 4 -A research --job-name rloo:42-9_critic -t 4:00:00 --exclusive --partition=debug
#SBATCH hetjob
#SBATCH -N 1 --ntasks-per-node 2 -A research --job-name rloo:42-9_actor -t 4:00:00 --exclusive --partition=gpu
srun --het-group=0 true
== het-cpu-and-gpu
#!/bin/zsh
#SBATCH --job-name=diag_cpu_gpu
#SBATCH --account=research
#SBATCH --partition=debug
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH hetjob
#SBATCH --partition=gpu
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --gres=gpu:1
#SBATCH --time=00:05:00
#SBATCH --output=logs/diag_%j.txt
srun --het-group=0 -n 1 ./mpi_test : --het-group=1 -n 1 ./mpi_test
== het-short
#!/bin/bash
#SBATCH --cpus-per-task=2 --mem-per-cpu=1g --ntasks=1
#SBATCH hetjob
#SBATCH --cpus-per-task=2 --mem-per-cpu=500m  --ntasks=8
srun run.app
== het-commented
#!/bin/bash
#SBATCH --time=00:30:00
#SBATCH --job-name=coupled

############################
# Component 0: CPU solver
############################
#SBATCH --partition=debug
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=4

#SBATCH hetjob

############################
# Component 1: GPU client
############################
#SBATCH --partition=gpu
#SBATCH --ntasks-per-node=1
#SBATCH --gres=gpu:1
set -euxo pipefail
== het-generated-with-blanks
#!/usr/bin/bash
#SBATCH --nodes=1
#SBATCH
#SBATCH hetjob
#SBATCH --nodes=2
#SBATCH
#SBATCH
#SBATCH hetjob
#SBATCH --nodes=1
#SBATCH
./coupled
== pack-job-of-old
#!/bin/bash
#SBATCH -n 2
#SBATCH packjob
#SBATCH -n 1
./coupled
""")
