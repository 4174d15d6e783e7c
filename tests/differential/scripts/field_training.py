"""Headers in the style of those who train models: GPUs, several nodes, requeue by signal, containers."""

from __future__ import annotations

from tests.differential.cases import blocks

CASES = blocks(r"""
== one-gpu
#!/bin/bash
#SBATCH --job-name=resnet50
#SBATCH --partition=gpu
#SBATCH --gres=gpu:1
#SBATCH --cpus-per-task=4
#SBATCH --mem=6GB
#SBATCH --time=12:00:00
#SBATCH --output=logs/%x_%j.out
#SBATCH --error=logs/%x_%j.err

module purge
python train.py
== short-options
#!/bin/bash
#SBATCH -p gpu
#SBATCH -G 1
#SBATCH -n 4
#SBATCH --mem=4G
#SBATCH -t 02:00:00
#SBATCH -o slurm-%j.out
#SBATCH -e slurm-%j.err
nvidia-smi
== comments-behind
#!/bin/bash
#SBATCH --job-name=torchrun-launcher
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1          # crucial: one launcher on each node
#SBATCH --cpus-per-task=8            # all of the node
#SBATCH --gres=gpu:2                 # adapt to the node
#SBATCH --time=0:10:00               # HH:MM:SS
#SBATCH --exclusive
#SBATCH --partition=gpu
#SBATCH --output=%x-%j.out
echo "START TIME: $(date)"
srun torchrun --nnodes 2 train.py
== typed-gpu-unknown
#!/bin/bash -l
#SBATCH --job-name=pretrain
#SBATCH --partition=gpu
#SBATCH --gres=gpu:h100:2
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=7G
#SBATCH --time=48:00:00
set -euo pipefail
== typed-gpus-per-node
#!/bin/bash
#SBATCH --nodes=2
#SBATCH --gpus-per-node=a100:2
#SBATCH --ntasks-per-node=2
#SBATCH --partition=gpu
srun python -u main.py
== signal-requeue
#!/bin/bash
#SBATCH -A research
#SBATCH -q normal
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-task=1
#SBATCH --cpus-per-task=2
#SBATCH --time=08:00:00
#SBATCH --signal=SIGUSR1@240
#SBATCH --requeue
#SBATCH --gpu-bind=none
#SBATCH -o slurm_logs/%j-%x.out
#SBATCH --error slurm_logs/%j-%x.err
srun "$@"
== signal-to-the-batch-shell
#!/bin/bash
#SBATCH --gres=gpu:2
#SBATCH --open-mode=append # do not overwrite
#SBATCH --signal=B:USR1@120
#SBATCH --time=00:5:00
#SBATCH --cpus-per-task=4
trap 'echo requeue' USR1
srun python train.py &
wait
== signal-minutes
#!/bin/bash
#SBATCH --signal=B:TERM@05:00
#SBATCH -t 10
srun hostname
== whole-node-memory
#! /bin/bash
#SBATCH --requeue
#SBATCH --job-name=train
#SBATCH --output=train.out
#SBATCH --error=train.err

#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=4
#SBATCH --gpus-per-node=1

#SBATCH --time=02:00:00
#SBATCH --mem=0
#SBATCH --partition=gpu
#SBATCH --constraint=fast
#SBATCH --account=research
module load python cuda
== unknown-account
#!/bin/bash
#SBATCH --account=kempner_lab
#SBATCH --gres=gpu:1
python train.py
== unknown-constraint
#!/bin/bash
#SBATCH -C "gpu&hbm40g"
#SBATCH -q normal
#SBATCH -N 1
srun python train.py
== gpus-and-tasks
#!/bin/bash
#SBATCH --wait-all-nodes=1
#SBATCH --nodes=2
#SBATCH --ntasks=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus=4
#SBATCH --gpus-per-task=2
#SBATCH --cpus-per-task=4
#SBATCH --mem=4gb
#SBATCH --partition=gpu
#SBATCH --exclusive
#SBATCH --time=1:00:00
#SBATCH --output=%x.%j.out
pwd; hostname; date
== reservation
#!/bin/bash
#SBATCH --gpus=1
#SBATCH --reservation=el8-ai
#SBATCH --time=1:00:00
hostname
== mem-per-gpu
#!/bin/bash
#SBATCH --gpus=2
#SBATCH --mem-per-gpu=1G
#SBATCH --cpus-per-gpu=2
#SBATCH --partition=gpu
python eval.py
== cpus-per-gpu
#!/bin/bash
#SBATCH --nodes=1
#SBATCH --gres=gpu:2
#SBATCH --cpus-per-gpu=4
python eval.py
== ntasks-per-gpu
#!/bin/bash
#SBATCH --gpus=2
#SBATCH --ntasks-per-gpu=1
srun python ddp.py
== pyxis-plugin
#!/bin/bash
#SBATCH --gres=gpu:1
#SBATCH --container-image="nvcr.io/nvidia/pytorch:24.11-py3"
#SBATCH -D ./
#SBATCH -t 2-00:00:00
pip list
== exclusive-four-nodes
#!/bin/bash
#SBATCH --output=slurm-%x-%j.out
#SBATCH --cpus-per-task 8
#SBATCH --exclusive
#SBATCH --nodes=4
srun --kill-on-bad-exit=1 run_trainer.sh
== too-many-cpus
#!/bin/bash
#SBATCH --cpus-per-task 127
#SBATCH --nodes=4
srun run_trainer.sh
== cluster-of-another-site
#!/bin/bash
#SBATCH --job-name=ndt3
#SBATCH --cluster=gpu
#SBATCH --partition=gpu
#SBATCH --nodes=2
#SBATCH --error=slurm_logs/job.%J.err
#SBATCH --output=slurm_logs/job.%J.out
srun python -u run.py
== user-in-path
#!/usr/bin/env bash

#SBATCH --job-name=eq-a100-1
#SBATCH --output=%u-%j.out
#SBATCH --partition=gpu
#SBATCH -c 4
#SBATCH --mem=4G
#SBATCH --time=06:00:00
#SBATCH --gres=gpu:a100:1
#SBATCH --mail-user=%u@example.org
#SBATCH --mail-type=ALL
python mnist.py
== two-gres
#!/bin/bash
#SBATCH --gres=gpu:1,widget:2
#SBATCH --gpus=1
python kraken.py
== gres-of-another-site
#!/bin/bash
#SBATCH --gpus=2
#SBATCH --gres=gpu:2,VramPerGpu:24GB
python kraken.py
== gpu-frequency
#!/bin/bash
#SBATCH --gpus=1
#SBATCH --gpu-freq=high
#SBATCH --gpu-bind=closest
srun ./bench
== set-before-directives
#!/bin/bash
set -euo pipefail
#SBATCH --account=nobody
#SBATCH --gres=gpu:8
#SBATCH --time=4:00:00
python sft.py
== python-interpreter
#!/usr/bin/env python3
#SBATCH --job-name=hello-py
#SBATCH --ntasks=1
#SBATCH --gres=gpu:1
#SBATCH --time=0-00:30
import os
print(os.environ["SLURM_JOB_ID"])
== long-docstring-first
#!/bin/bash
# ============================================================
# Usage:
#   sbatch train.sh cnn   # convolutional
#   sbatch train.sh svm   # support vectors
#
# Monitor: squeue --me
# ============================================================

#SBATCH -p gpu
#SBATCH --gres=gpu:1
#SBATCH -n 4

# Default task if none provided
echo "${1:-cnn}"
== gpus-per-node-mem-cpu
#!/bin/bash
#SBATCH --nodes=1 --gpus-per-node=2 --ntasks-per-node=2
#SBATCH --cpus-per-task=2 --mem-per-cpu=500M
#SBATCH --qos=high --time=24:00:00
srun ./train
== exclude-bad-nodes
#!/bin/bash
#SBATCH --gres=gpu:1
#SBATCH --exclude=n[2-3],n5
#SBATCH --nodelist=n1
./train
== nice-and-begin
#!/bin/bash
#SBATCH --gres=gpu:1
#SBATCH --nice=1000
#SBATCH --begin=now+1hour
./train
== comment-text
#!/bin/bash
#SBATCH --gres=gpu:1
#SBATCH --comment="exp 42: lr=3e-4, seed 1"
#SBATCH --export=ALL,WANDB_MODE=offline
./train
== export-none
#!/bin/bash
#SBATCH --export=NONE
#SBATCH --get-user-env
#SBATCH --gres=gpu:1
./train
== gres-none-and-flags
#!/bin/bash
#SBATCH --gres=gpu:2
#SBATCH --gres-flags=enforce-binding
#SBATCH -n 2
./train
== tres-per-task
#!/bin/bash
#SBATCH --ntasks=2
#SBATCH --tres-per-task=gres/gpu:1
./train
""")
