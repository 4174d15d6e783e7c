"""Scripts for each rule of reading a script: lines, words, arguments, repeated options, components, other systems.

What is read shows in the job's name, its tasks and its nodes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

SH: Final = "#!/bin/sh\n"
COMMANDS: Final = "true\n" * 99

WHOLE: Final = {
    "no-directives": f"{SH}true\n",
    "first-line-alone": "#!/bin/sh",
    "hash-and-bang-alone": "#!\n#SBATCH -n2\ntrue\n",
    "interpreter-without-path": "#!bash\n#SBATCH -n2\ntrue\n",
    "interpreter-after-blank": "#! /bin/sh\n#SBATCH -n2\ntrue\n",
    "interpreter-that-goes-on": "#!/bin/sh#SBATCH -n2\ntrue\n",
    "python": "#!/usr/bin/env python3\n#SBATCH -n2\nimport os\n#SBATCH -n3\n",
    "python-docstring": '#!/usr/bin/env python3\n"""Text."""\n#SBATCH -n2\n',
    "lua": "#!/usr/bin/lua\n-- text\n#SBATCH -n2\n",
    "empty": "",
    "white": " \n\t\n",
    "white-dos": "\r\n",
    "one-hash": "#",
    "no-hash-and-bang": "#SBATCH -n2\ntrue\n",
    "blank-line-first": "\n#!/bin/sh\n#SBATCH -n2\n",
    "blank-first": " #!/bin/sh\n#SBATCH -n2\n",
    "byte-order-mark": "\ufeff#!/bin/sh\n#SBATCH -n2\n",
    "command-first-dos": "true\r\n",
    "dos": "#!/bin/sh\r\n#SBATCH -n2\r\ntrue\r\n",
    "dos-in-one-line-far-down": f"{SH}#SBATCH -n2\n{COMMANDS}true\r\n",
    "return-without-newline": f"{SH}#SBATCH -n2\ntrue\r",
    "bytes-that-are-no-ascii": f"{SH}# ä€\n#SBATCH -n2 -J ä€\ntrue\n",
}

LINES: Final = {
    "bare": "#SBATCH\n#SBATCH   \n#SBATCH -n2\n",
    "bare-at-the-end": "#SBATCH",
    "no-newline-at-the-end": "#SBATCH -n2",
    "no-blank": "#SBATCH-n2\n#SBATCH--nodes=1\n",
    "no-blank-before-a-quote": '#SBATCH"-n2"\n',
    "no-blank-before-a-comment": "#SBATCH# -n2\n",
    "no-blank-before-a-colon": "#SBATCH: -n2\n",
    "another-word": "#SBATCHX -n2\n",
    "another-word-and-option": "#SBATCH_-n2\n",
    "indented": "  #SBATCH -n2\n#SBATCH -J x\n",
    "indented-form-feed": "\f#SBATCH -n2\n#SBATCH -J x\n",
    "commented-out": "##SBATCH -n2\n# SBATCH -n3\n#SBATCH -J x\n",
    "lower-case": "#sbatch -n2\n#Sbatch -n3\n#SBATCH -J x\n",
    "after-blank-lines": "\n\n \t \n\v\f\n#SBATCH -n2\n",
    "after-comments": f"{'# comment' * 9}\n  # comment\n#SBATCH -n2\n",
    "after-a-comment-that-ends-in-a-backslash": "# comment \\\n#SBATCH -n2\n",
    "after-a-command": "#SBATCH -J x\ntrue\n#SBATCH -n2\n",
    "after-an-indented-command": "  true\n#SBATCH -n2\n",
    "after-a-colon": ":\n#SBATCH -n2\n",
    "after-a-no-break-space": "\u00a0\n#SBATCH -n2\n",
    "in-a-here-document": "cat <<E\n#SBATCH -n2\nE\n",
    "long-comment": f"# {'x' * 60000}\n#SBATCH -n2\n",
    "long-value": f"#SBATCH -n2 --job-name={'x' * 900}\n",
    "many": "# comment\n" * 3000 + "#SBATCH -n2\n",
}

WORDS: Final = {
    "white-space": "\t-n3\v-N1\f-J\tx\r--hold",
    "no-break-space": "-J\u00a0x -n2",
    "line-separators": "-J x\u2028y\x1cz\x85",
    "double-quotes": '-J "a b" -n2',
    "single-quotes": "-J 'a b' -n2",
    "quotes-within": """-J a"b c"d'e f'g""",
    "quotes-in-quotes": """-J "a'b" --mail-user='a"b'""",
    "quoted-option": '"-n2" --"job-name"=a "-J" x',
    "blank-in-quotes-before-an-option": '" -n2"',
    "empty-value": '--comment="" -n2',
    "empty-word": '-n2 "" -N2',
    "empty-words": "'' \"\" -n2",
    "empty-argument": '-J "" -n2',
    "empty-quotes-and-more": '""-n2 -N""1',
    "escaped-blank": r"-J a\ b",
    "escaped-tab": "-J a\\\tb",
    "escaped-blank-alone": r"-n2 \ -N2",
    "escaped-hash": r"-J a\#b",
    "escaped-quote": r"-J a\"b -n2",
    "escaped-colon": r"-J \:b",
    "escaped-in-double-quotes": r'-J "a\"b\\c\d e"',
    "escaped-in-single-quotes": r"-J 'a\'b\\c\d e'",
    "escaped-backslash-then-blank": r"-J a\\ -n2",
    "backslash-at-the-end": "-n2 \\",
    "backslash-at-the-end-of-a-word": "-J a\\",
    "comment": "-n2 # -N2",
    "comment-in-a-word": "-J a#b -n2",
    "comment-after-a-quote": '-J "a"#b -n2',
    "comment-with-a-quote": "-n2 # don't",
    "comment-in-quotes": "-J 'a#b' -n2",
    "comment-alone": "#-n2",
    "colon-first": "-t :30",
    "colon-alone": "-n2 : -n3",
    "colon-in-a-word": "-J a:b -n2",
    "colon-in-quotes": '-J ":b"',
    "colon-after-a-quote": '-J "":b',
    "open-double-quote": '-J "a b',
    "open-single-quote": "-n2 'a",
    "open-quote-escaped": '-J "a\\"',
    "variables": "-J $USER-~-`id`",
    "curly-quotes": "-J “a”",
    "en-dash": "–n 2",
}

ARGUMENTS: Final = {
    "glued": "-n2 -N1 -Jx",
    "spaced": "-n 2 -N 1 -J x",
    "flags-glued": "-Hsn2",
    "flags-glued-and-next-word": "-HsJ x",
    "equals-after-a-letter": "-J=x",
    "equals-after-a-number": "-n=2",
    "one-dash": "-ntasks=2",
    "one-dash-unknown-letter": "-job-name=x",
    "long": "--ntasks=2 --job-name x",
    "long-equals-blank": "--ntasks= 2",
    "long-blank-equals": "--ntasks = 2",
    "equals-in-the-value": "--job-name=a=b",
    "option-as-argument": "--job-name --hold",
    "option-as-number": "-n -N2",
    "missing-letter": "-n2 -J",
    "missing-long": "-n2 --job-name",
    "unwanted": "--hold=yes",
    "unwanted-empty": "--hold=",
    "optional-left-out": "--nice --no-kill",
    "optional-given": "--nice=5 -koff",
    "optional-spaced": "--nice 5",
    "optional-exclusive-spaced": "--exclusive user",
    "optional-letter-with-more": "-kn2",
    "requeue-with-argument": "--requeue=x",
    "operand": "-n2 job.sh",
    "operand-first": "job.sh -n2",
    "operand-dash": "- -n2",
    "end-of-options": "-n2 --",
    "end-of-options-and-option": "-- -n2",
    "end-of-options-as-argument": "-J -- -n2",
    "unknown": "--foo",
    "unknown-letter": "-y",
    "unknown-letter-after-a-flag": "-Hy",
    "unknown-upper-case": "--Ntasks=2",
    "unknown-underscore": "--job_name=x",
    "unknown-three-dashes": "---ntasks=2",
    "of-srun": "--cpu-bind=none",
    "gone": "--workdir=/data",
    "gone-share": "--share",
    "gone-power": "--power=level",
    "another-name": "--tasks-per-node=2 -N1",
    "nothing-in-a-script": "--help -hV --version --usage -Q --quiet -vv --verbose --wrap=x -n2",
    "bad-value-overridden": "-n x -n 2",
    "bad-value-then-unknown": "-n x --foo",
    "unknown-then-bad-value": "--foo -n x",
}

ABBREVIATED: Final = """
out=o err=e job=x part=debug lic=matlab nodes=1 time=5 exclusi reque oversub depend=after:@ANCHOR@ extra=1:1:1
extra=x container-i=x sp res=x oom tres-per=cpu=1 seg=1 step kill=yes mem-per=1 node=1 tim=5 mail=END cpus=1
gpu=1 acc=research ntask=2 exc=n1 clu=x ext=x mem-=1
"""

OVER_LINES: Final = {
    "one-list": "#SBATCH -J\n# between\n\n#SBATCH x\n",
    "next-line-as-argument": "#SBATCH -J\n#SBATCH -n2\n",
    "last-wins": "#SBATCH -n2 -J a\n#SBATCH -n3 -J b\n",
    "last-wins-lists": "#SBATCH -x n1 -C slow --gres=widget:1 -L x\n#SBATCH -x n2 -C fast --gres=gpu:1 -L matlab\n",
    "last-wins-requeue": "#SBATCH --requeue\n#SBATCH --no-requeue\n",
    "last-wins-no-requeue": "#SBATCH --no-requeue\n#SBATCH --requeue\n",
    "mails": "#SBATCH --mail-type=END\n#SBATCH --mail-type=FAIL\n",
    "mails-none-second": "#SBATCH --mail-type=END\n#SBATCH --mail-type=NONE\n",
    "mails-bad-word": "#SBATCH --mail-type=END,BAD\n#SBATCH --mail-type=FAIL\n",
    "end-of-options": "#SBATCH -n2 --\n#SBATCH -N1\n",
    "open-quote-after-unknown": "#SBATCH --foo\n#SBATCH 'a\n",
}

COMPONENTS: Final = {
    "two": "#SBATCH -n2\n#SBATCH hetjob\n#SBATCH -n3\n",
    "any-case-and-more": "#SBATCH -n2\n#SBATCH HetJob -N9 'x : --bad\n#SBATCH -n3\n",
    "old-name": "#SBATCH -n2\n#SBATCH packjob\n#SBATCH -n3\n",
    "first-last-and-doubled": "#SBATCH hetjob\n#SBATCH hetjob\n#SBATCH -n3\n#SBATCH hetjob\n",
    "not-the-first-word": "#SBATCH -n2 hetjob -N9\n#SBATCH -J x\n",
    "not-the-word": "#SBATCH -n2\n#SBATCH hetjobs\n",
    "in-quotes": '#SBATCH -n2\n#SBATCH "hetjob"\n',
    "indented": "#SBATCH -n2\n  #SBATCH hetjob\n#SBATCH -J x\n",
    "as-argument": "#SBATCH -J\n#SBATCH hetjob\n#SBATCH x\n",
    "inherited": "#SBATCH -A research -q normal -J x -t 10 --mem=50 --nice=7 --no-requeue -o o -e e\n#SBATCH hetjob\n",
    "not-inherited": "#SBATCH -p gpu -n2 -c2 --gres=gpu:1 -C fast\n#SBATCH hetjob\n#SBATCH -n1\n",
    "hosts-exclude-each-other": "#SBATCH -w n1 -x n3\n#SBATCH hetjob\n#SBATCH -w n2\n#SBATCH hetjob\n",
    "inherited-conflict": "#SBATCH --mem=50\n#SBATCH hetjob\n#SBATCH --mem-per-cpu=5\n",
    "foreign": "#SBATCH -n2\n#SBATCH hetjob\n#SBATCH -n3\n#PBS -N x -l walltime=10\n",
    "error-in-the-second": "#SBATCH -n2\n#SBATCH hetjob\n#SBATCH --foo\n",
}

PBS: Final = r"""
-N x
-Nx -A research -q gpu
-a 23:59
-e err -o out
-e none -o none
-o host:/x
-h
-m abe -M alice
-m n
-m x
-m b -m e
-p 10
-p x
-p
-t 1-3
-J 1-2
-d /data
-w data
-W depend=after:@ANCHOR@
-W umask=022
-W umask=888
-W group_list=x
-j oe -k oe -c n -C x -I -r n -S /bin/sh -u alice -V -z
--job_name=x --resource_list=nodes=2
--job-name=x
--job x
-Q
-P x
-h x
x
-N hetjob
-N a#b
-l nodes=2
-l nodes=2:ppn=4
-l nodes=2:ppn=1:gpus=1
-l nodes=2:ppn=4+1:ppn=2
-l nodes=n1:ppn=2+n2:ppn=2
-l nodes=n2+n1
-l nodes=1:nohost:ppn=2
-l nodes=0
-l nodes=ppn=3:2
-l nodes=2:ppn=-1
-l nodes=2,walltime=1:00:00,mem=100mb
-l walltime=30
-l walltime=x
-l cput=20,walltime=10
-l WALLTIME=10
-l mem=1b
-l mem=1000kb
-l mem=1.5gb
-l qmem=100mb
-l pmem=1gb,nodes=2
-l procs=4,ngpus=1,place=excl
-l nice=5
-l nice=
-l proc=fast
-l proc=fast,nodes=3,walltime=3
-l select=2
-l select=2:ncpus=2
-l select=2:ncpus=4:mpiprocs=2
-l select=2:ncpus=2:mpiprocs=2
-l select=2:ncpus=2:mem=100mb
-l select=2,walltime=10
-l select=1:ncpus=2+1:ncpus=1
-l ncpus=2,mem=1gb
-l naccelerators=1
-l accelerator=true
-l naccelerators=x
"""

BSUB: Final = r"""
-J x -q gpu -n 2 -W 10
-W 1:30
-W x
-n 1,2
-n 4,
-o out.%J -e none
-M 4000
-M 100000KB
-M 1.5
-m n1
-m 'n1 n2'
-m n1 n2
-x
-xJ x
-cwd /data
-n 2 -cwd /data
-x -cwd /data
-R x
-P x
-N
-J 'x[1-3]'
--job_name=x --time 10
-J x < y
-oo out
"""

FOREIGN: Final = {
    "after-directives": "#PBS -N x\n#SBATCH -J y\n",
    "among-commands": "true\n#PBS -N x\n",
    "after-99-commands": f"{COMMANDS}#PBS -N x\n",
    "after-101-commands": f"{COMMANDS}true\ntrue\n#PBS -N x\n",
    "after-101-blank-lines": "\n" * 101 + "#PBS -N x\n",
    "after-200-comments": "# comment\n" * 200 + "#PBS -N x\n",
    "indented-or-commented-out": "  #PBS -N x\n##PBS -N y\n#pbs -N z\n",
    "ignored": "#PBS -Q\n#SBATCH --ignore-pbs\n#BSUB -R x\n",
    "ignored-abbreviated": "#SBATCH --ignore\n#PBS -N x\n",
    "ignored-too-late": "#PBS -N x\ntrue\n#SBATCH --ignore-pbs\n",
    "both": "#PBS -N x\n#BSUB -J y\n",
    "both-and-bad": "#PBS -Q\n#BSUB -J y\n",
    "one-list": "#PBS -N\n#PBS x\n",
    "adding-to-an-option": "#SBATCH --gres=widget:1 -C slow\n#PBS -l naccelerators=1\n",
    "overriding": "#SBATCH -n3 -N3\n#PBS -l nodes=2:ppn=2\n",
    "grid-engine": "#$ -N x\n#SBATCH -n2\n",
}


def _cases() -> Iterator[tuple[str, str]]:
    yield from ((f"whole-{name}", text) for name, text in WHOLE.items())
    yield from _named("line", LINES)
    yield from _named("word", {name: f"#SBATCH {words}\n" for name, words in WORDS.items()})
    yield from _named("argument", {name: f"#SBATCH {words}\n" for name, words in ARGUMENTS.items()})
    yield from _named("short", _numbered("#SBATCH --", ABBREVIATED.split()))
    yield from _named("lines", OVER_LINES)
    yield from _named("het", COMPONENTS)
    yield from _named("pbs", _numbered("#PBS ", PBS.strip().split("\n")))
    yield from _named("bsub", _numbered("#BSUB ", BSUB.strip().split("\n")))
    yield from _named("foreign", FOREIGN)


def _numbered(start: str, ends: Sequence[str]) -> dict[str, str]:
    return {f"{index:02}": f"{start}{end}\n" for index, end in enumerate(ends, start=1)}


def _named(group: str, headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((f"{group}-{name}", f"{SH}{header}") for name, header in headers.items())


CASES: Final = tuple(_cases())
