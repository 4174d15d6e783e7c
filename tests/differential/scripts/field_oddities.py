"""Headers as they also are: odd spacing, text behind options, dashes of a word processor, other systems' lines."""

from __future__ import annotations

from typing import Final

from tests.differential.cases import blocks

_TYPED: Final = blocks(r"""
== comment-in-parentheses
#!/bin/bash
#SBATCH --job-name=my_nice_job                    (sets the job name)
#SBATCH -n 1
hostname
== name-of-two-words
#!/bin/bash
#SBATCH --job-name=Big simulation
#SBATCH -n 2
hostname
== name-in-double-quotes
#!/bin/bash
#SBATCH --job-name="Big simulation"
#SBATCH -n 2
hostname
== name-in-single-quotes
#!/bin/bash
#SBATCH -J 'Big simulation'
hostname
== curly-quotes
#!/bin/bash
#SBATCH --job-name=“big”
#SBATCH --mail-user=‘someone@example.org’
hostname
== en-dash-short
#!/bin/bash
#SBATCH –n 4
hostname
== em-dash-long
#!/bin/bash
#SBATCH —ntasks=4
hostname
== blank-around-equals
#!/bin/bash
#SBATCH --ntasks = 4
hostname
== blank-behind-equals
#!/bin/bash
#SBATCH --ntasks= 4
hostname
== one-dash
#!/bin/bash
#SBATCH -ntasks=4
hostname
== one-dash-mem
#!/bin/bash
#SBATCH -mem=4G
hostname
== equals-behind-a-letter
#!/bin/bash
#SBATCH -N=2
hostname
== letter-and-equals-name
#!/bin/bash
#SBATCH -J=run1
hostname
== underscore
#!/bin/bash
#SBATCH --cpus_per_task=4
hostname
== capital
#!/bin/bash
#SBATCH --Nodes=2
hostname
== misspelt
#!/bin/bash
#SBATCH --ntask-per-node=4
hostname
== abbreviated
#!/bin/bash
#SBATCH --part=debug
#SBATCH --out=x.out --err=x.err
#SBATCH --job=x
hostname
== ambiguous
#!/bin/bash
#SBATCH --mem-per=4G
hostname
== small-letters
#!/bin/bash
#sbatch -N 2
hostname
== blank-before-the-word
#!/bin/bash
# SBATCH -N 2
 #SBATCH -N 3
hostname
== commented-out
#!/bin/bash
##SBATCH -N 4
#SBATCH -N 2
#SBATCH  -n 3
###SBATCH -n 9
hostname
== glued
#!/bin/bash
#SBATCH -N2 -n4 -c2 -t10 -Jglued -oout.txt
hostname
== no-blank-behind-the-word
#!/bin/bash
#SBATCH--ntasks=3
#SBATCH-N1
hostname
== semicolon
#!/bin/bash
#SBATCH -N 1;
hostname
== trailing-backslash
#!/bin/bash
#SBATCH --nodes=1 \
#SBATCH --ntasks=2 \
#SBATCH --time=10
hostname
== variable
#!/bin/bash
#SBATCH --job-name=$USER-run
#SBATCH --output=$HOME/logs/%j.out
hostname
== tilde
#!/bin/bash
#SBATCH --output=~/logs/%j.out
#SBATCH --chdir=~
hostname
== relative-directory
#!/bin/bash
#SBATCH -D runs/7
#SBATCH -o out.txt
hostname
== dot-directory
#!/bin/bash
#SBATCH -D .
hostname
== no-shebang
#SBATCH -N 1
hostname
== blank-line-first

#!/bin/bash
#SBATCH -N 1
hostname
== directives-after-a-command
#!/bin/bash
#SBATCH -n 2
module load gcc
#SBATCH --time=10
#SBATCH --mem=nonsense
hostname
== all-after-an-empty-command
#!/bin/bash
:
#SBATCH --foo
hostname
== here-document
#!/bin/bash
#SBATCH -n 2
cat <<EOF >job2.sh
#!/bin/bash
#SBATCH -n 99 --foo
EOF
== twice
#!/bin/bash
#SBATCH -N 1
#SBATCH --nodes=3
#SBATCH -t 1 -t 2:00
hostname
== mail-twice
#!/bin/bash
#SBATCH --mail-type=END
#SBATCH --mail-type=FAIL
#SBATCH --mail-user=someone@example.org
hostname
== mail-with-blanks
#!/bin/bash
#SBATCH --mail-type=BEGIN, END
hostname
== mail-unknown-word
#!/bin/bash
#SBATCH --mail-type=ABORT
hostname
== mail-with-a-bar
#!/bin/bash
#SBATCH --mail-type="END|FAIL"
hostname
== hash-in-a-file-name
#!/bin/bash
#SBATCH --output=out#1.log
hostname
== hash-in-quotes
#!/bin/bash
#SBATCH --output="out#1.log" # numbered
hostname
== unmatched-quote
#!/bin/bash
#SBATCH --job-name="run
hostname
== apostrophe-in-a-comment
#!/bin/bash
#SBATCH -n 2 # don't use more
hostname
== value-missing
#!/bin/bash
#SBATCH --nodes
#SBATCH --ntasks=2
hostname
== value-missing-at-the-end
#!/bin/bash
#SBATCH -n 2
#SBATCH --partition
hostname
== empty-value
#!/bin/bash
#SBATCH --partition=
#SBATCH --mail-user=
hostname
== exclusive-with-blank
#!/bin/bash
#SBATCH --exclusive user
hostname
== srun-option
#!/bin/bash
#SBATCH --cpu-bind=cores
hostname
== mpi-option
#!/bin/bash
#SBATCH --mpi=pmix
hostname
== colon-behind-the-word
#!/bin/bash
#SBATCH: -n 4
hostname
== dollar-comments-of-grid-engine
#!/bin/bash
#$ -cwd
#$ -N hello_world
#$ -l h_rt=120000
#SBATCH -n 2
hostname
== pbs
#!/bin/bash
#PBS -N torque_job
#PBS -l nodes=2:ppn=4
#PBS -l walltime=01:00:00
#PBS -q debug
#PBS -m abe
#PBS -M someone@example.org
cd $PBS_O_WORKDIR
== pbs-select
#!/bin/bash
#PBS -N select_job
#PBS -l select=2:ncpus=4
#PBS -o out.log
#PBS -e err.log
hostname
== pbs-beside-sbatch
#!/bin/bash
#SBATCH -N 1
#SBATCH -J mine
#PBS -N other
#PBS -l nodes=3
hostname
== pbs-ignored
#!/bin/bash
#SBATCH --ignore-pbs
#SBATCH -J mine
#PBS -N other
hostname
== pbs-unknown
#!/bin/bash
#PBS -V
#PBS -j oe
hostname
== lsf
#!/bin/bash
#BSUB -J lsf_job
#BSUB -n 4
#BSUB -W 60
#BSUB -q debug
#BSUB -o out.%J
hostname
== lsf-unknown
#!/bin/bash
#BSUB -P project
#BSUB -R "span[hosts=1]"
hostname
""")

_BYTES: Final = [
    ("tabs", "#!/bin/bash\n#SBATCH\t--nodes=2\t--ntasks=4\n#SBATCH\t\t-t\t10\nhostname\n"),
    ("windows-line-ends", "#!/bin/bash\r\n#SBATCH -N 1\r\nhostname\r\n"),
    ("windows-line-end-far-below", "#!/bin/bash\n#SBATCH -N 1\nhostname\necho done\r\n"),
    ("old-mac-line-ends", "#!/bin/bash\r#SBATCH -N 2\rhostname\r"),
    ("byte-order-mark", "\ufeff#!/bin/bash\n#SBATCH -N 1\nhostname\n"),
    ("nothing-but-a-shebang", "#!/bin/bash"),
    ("no-newline-at-the-end", "#!/bin/bash\n#SBATCH -N 1\n#SBATCH -n 2"),
    ("nothing", ""),
    ("white", "\n \n"),
    ("no-break-space", "#!/bin/bash\n#SBATCH --partition\u00a0 \u00a0debug\nhostname\n"),
    ("trailing-blanks", "#!/bin/bash\n#SBATCH --nodes=2               \n#SBATCH --mem=1G   \t \nhostname\n"),
    ("bare-directives", "#!/bin/bash\n#SBATCH\n#SBATCH \n#SBATCH -n 3\nhostname\n"),
    ("umlauts", "#!/bin/bash\n#SBATCH -J Überprüfung --comment='größer'\n# äöü\nhostname\n"),
    ("not-ascii-in-paths", "#!/bin/bash\n#SBATCH -o /home/alice/日本/%j.out\nhostname\n"),
    ("a-long-script", "#!/bin/bash\n#SBATCH -n 2\n" + "echo a line of a script\n" * 2000),
    ("many-directives", "#!/bin/bash\n" + "#SBATCH -n 2\n" * 300 + "hostname\n"),
    ("form-feed", "#!/bin/bash\n#SBATCH\f-n\v3\nhostname\n"),
]

CASES = [*_TYPED, *_BYTES]
