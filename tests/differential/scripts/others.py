"""When a job runs, under which names, with which files, what becomes of it: every option for it, every form of value.

A line is a script's directives, separated by semicolons. Refused ones are here as well: both sides must refuse them.
Clock times are far enough from any midnight that a run falls into, or dates of other years.
"""

from __future__ import annotations

import re
from typing import Final

from tests.differential.cases import ANCHOR

LIMITS: Final = """
-t 90
-t 90:00
-t 10:29
-t 0:01
-t 1:30:00
-t 99:99:99
-t 1-99
-t 1-
-t 1-0
-t 1-00:00:00
-t 0
-t 00:00:00
-t UNLIMITED; -p gpu
-t infinite
-t -1
-t 99999999999999999999; -p gpu
-t 99999999; -p gpu
-t 71582789
-t 4294967295; -p gpu
-t 4294967293
-t 1h
-t 90m
-t 1.5
-t 5:
-t :30
-t 1,5
-t 1-2-3
-t 1:2:3:4
-t +5
-t "5 "
--time=2-0; -p debug
--time=5; --time=7
--time=7; -p tiny
--time-min=5; -t 10
--time-min=0:30; -t 10
--time-min=20; -t 10
--time-min=0
--time-min=x
--delay-boot=5
--delay-boot=0:30
--delay-boot=1-0
--delay-boot=UNLIMITED
--delay-boot=-1
--delay-boot=0
--delay-boot=soon
"""

MOMENTS: Final = """
-b now
-b now+60
-b now+1hour
-b "now + 2 days"
-b now+1WEEK
-b now+3min
-b now+
-b now-5
-b "now+1hour noon"
-b 16:00
-b 4:00pm
-b "4:00 PM"
-b 16:00pm
-b 24:00
-b 9:5
-b tomorrow
-b Tomorrow
-b TODAY
-b today
-b midnight
-b noon
-b teatime
-b fika
-b elevenses
-b "noon tomorrow"
-b tomorrowT16:00
-b 2035-01-31
-b 2035-01-31T10:00
-b 2035-01-31T10:00:30
-b "2035-01-31 10:00"
-b 2035-1-31
-b 2035-02-31
-b 2035-13-01
-b 2035-01-31T10:00Z
-b 1999-01-01
-b 01/31/35
-b 01.31.35-10:00
-b 013135
-b 013135noon
-b 01/31/2035
-b 20350131
-b 2053000000
-b uts2053000000
-b uts5
-b ""
--begin=soon
--deadline=now+2hours
--deadline=2035-01-31T10:00
--deadline=013135
--deadline=uts2053000000
--deadline=now-1hour
--deadline=now+5
--deadline=soon
--deadline=now+2hours; -t 180
"""

QUEUES: Final = """
-p gpu
-p debug,gpu
-p gpu,debug
-p debug,
-p debug,,gpu
-p "debug, gpu"
-p Debug
-p nosuch
-p debug,nosuch
--partition=
-A research
-A Research
-A nosuch
--account=
-q high
-q High
-q high,normal
-q nosuch
--qos=
--reservation=nosuch
--reservation=
--wckey=key
--wckey=*key
--wckey=
--mcs-label=label
--mcs-label=
--nice
--nice=5
--nice=0
--nice=x
--nice=1.5
--nice=
--nice=-5
--nice=2147483644
--nice=2147483646
--nice 5
-H
--hold=yes
--priority=500
--priority=TOP
--priority=x
--priority=-1
--priority=4294967294
"""

DEPENDENCIES: Final = f"""
-d singleton
-d SINGLETON
-d {ANCHOR}
-d afterok:{ANCHOR}
-d AfterAny:{ANCHOR}
-d afternotok:{ANCHOR}
-d after:{ANCHOR}
-d after:{ANCHOR}+5
-d aftercorr:{ANCHOR}
-d afterburstbuffer:{ANCHOR}
-d afterok:{ANCHOR}:{ANCHOR}
-d afterok:{ANCHOR},singleton
-d afterok:{ANCHOR}?singleton
-d "afterok: {ANCHOR}"
-d afterok:{ANCHOR},
-d " afterok:{ANCHOR}"
-d after:{ANCHOR}+0
-d afterok
-d afterok:
-d afterok:x
-d never:{ANCHOR}
-d expand:{ANCHOR}
-d 1:2
--dependency=
--dependency=afterok:{ANCHOR}; --dependency=singleton
--kill-on-invalid-dep=yes
--kill-on-invalid-dep=NO; -d singleton
--kill-on-invalid-dep=true
--kill-on-invalid-dep=
"""

ARRAYS: Final = """
-a 0-3
-a 7
-a 05
-a 1-9:2
-a 0-3:5
-a 1,3,5-7%2
-a [1-3]
-a [0-3]%2
-a 1-3,[5-7]
-a 0-3,
-a ,1
-a 1,,2
-a 3,1,2
-a 1-3%0
-a 1-3%x
-a 1-3%2%3
-a %2
-a 0-
-a 1-
-a 3-1
-a 0-3:0
-a 1-3:
-a -1
-a a
-a "1 2"
-a 1-2-3
-a 0x10
-a 1001
--array=
"""

FILES: Final = """
-o out
-o none
-o NONE
-o /dev/null
-o /var/log/nothing-%j.out
-o ./out
-o ../out
-o ~/out
-o $HOME/out
-o "a b.out"
-o out-%x-%j-%A-%a-%u-%N.log
-o %8j.out
-o %%j.out
-o dir/
--output=
-e err
-e none
--error=
-o out; -e err
-i in
-i none
--input=
-D /tmp
-D /tmp/
-D sub
-D .
-D ~/sub
--chdir=
-D sub; -o out; -i in
-o out; -D /tmp
-D /tmp; -D sub
--open-mode=append
--open-mode=truncate
--open-mode=a
--open-mode=Truncated
--open-mode=x
--open-mode=
--container=/images/bundle
--container=bundle
--container=
--container-id=one
--container-type=oci
"""

NAMES: Final = """
-J name
-J "two words"
-J=x
-J é
-J a/b
--job-name=one; -J two
--comment=words
--comment="two words"
--comment="a 'b' c"
--comment=
--extra=text
--context=unconfined
"""

MAILS: Final = """
--mail-type=END
--mail-type=end,fail
--mail-type=ALL
--mail-type=ALL,ARRAY_TASKS
--mail-type=NONE
--mail-type=ALL,NONE
--mail-type=BEGIN,END,FAIL,REQUEUE,STAGE_OUT,INVALID_DEPEND
--mail-type=TIME_LIMIT,TIME_LIMIT_90,TIME_LIMIT_80,TIME_LIMIT_50
--mail-type=END,BAD,FAIL
--mail-type=BAD,END
--mail-type="END, FAIL"
--mail-type=BAD
--mail-type=,
--mail-type=
--mail-type=BEGIN; --mail-type=END
--mail-user=someone@example.org; --mail-type=END
--mail-user=someone@example.org
--mail-user=
"""

SIGNALS: Final = """
--signal=USR1
--signal=sigusr1@120
--signal=10
--signal=10@0
--signal=USR1@
--signal=USR1@65535
--signal=USR1@65536
--signal=B:USR1@120
--signal=b:TERM
--signal=R:USR1@5
--signal=RB:USR1
--signal=99
--signal=70000
--signal=0
--signal=65536
--signal=@60
--signal=FOO
--signal=B:
--signal=X:USR1
--signal=
"""

BEHAVIOUR: Final = """
--requeue
--no-requeue
--requeue; --no-requeue
--no-requeue; --requeue
--requeue=expedite
--requeue=x
--requeue=true
-k
--no-kill
--no-kill=off
--no-kill=set
--no-kill=no
--no-kill=true
--wait-all-nodes=1
--wait-all-nodes=0
--wait-all-nodes=01
--wait-all-nodes=2
--wait-all-nodes=yes
--wait-all-nodes=
--profile=task
--profile=All
--profile=energy,task
--profile=task+energy
--profile=none,task
--profile=task,foo
--profile=foo
--profile=
--acctg-freq=4
--acctg-freq=task=4,energy=0
--acctg-freq=1.5
--acctg-freq=30
--acctg-freq=x
--acctg-freq=task=x
--acctg-freq=foo=1
--acctg-freq=
--propagate
--propagate=NONE
--propagate=STACK,CORE
--propagate=RLIMIT_NOFILE
--propagate=all
--propagate=FOO
--export=ALL
--export=NONE
--export=A=1,B
--export=A="1,2"
--export=
--get-user-env
--get-user-env=30L
--get-user-env=x
--get-user-env=true
--cluster-constraint=fast
--cluster-constraint=!fast
--cluster-constraint=
--batch=fast; -C fast
--batch=fast
--external
--ignore-pbs
"""

TERMINAL: Final = """
--parsable
--quiet
-Q
--verbose
-vv
--wait
-W
--help
-h
--usage
--version
-V
--wrap=hostname
--test-only
--autocomplete=x
--clusters=nosuch
-M nosuch
--cluster=nosuch
--export-file=/nosuch
--gid=0
--uid=0
--power=level
--power=x
--x11
--workdir=/tmp
--immediate
"""

GROUPS: Final = {
    "limits": LIMITS,
    "moments": MOMENTS,
    "queues": QUEUES,
    "dependencies": DEPENDENCIES,
    "arrays": ARRAYS,
    "files": FILES,
    "names": NAMES,
    "mails": MAILS,
    "signals": SIGNALS,
    "behaviour": BEHAVIOUR,
    "terminal": TERMINAL,
}


def _script(line: str) -> str:
    directives = "".join(f"#SBATCH {directive}\n" for directive in line.split("; "))
    return f"#!/bin/sh\n{directives}true\n"


def _name(group: str, number: int, line: str) -> str:
    """`limits-03-t-10-29`."""
    return f"{group}-{number:02}-{re.sub('[^a-z0-9]+', '-', line.lower()).strip('-')[:28].strip('-')}".rstrip("-")


CASES: Final[tuple[tuple[str, str], ...]] = tuple(
    (_name(group, number, line), _script(line))
    for group, lines in GROUPS.items()
    for number, line in enumerate(lines.strip().splitlines(), 1)
)
"""Name and script."""
