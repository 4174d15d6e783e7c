"""What slurmctld says of jobs: what is asked for, limits, and states."""

from __future__ import annotations

from typing import Final

from slurmjob_operator.slurm.error_numbers.group import Group, Meaning

GROUPS: Final[tuple[Group, ...]] = (
    Group(
        meaning=Meaning.NEVER,
        advice="name a partition that exists, in `partition` or in the connection's `jobDefaults`",
        numbers="2000 ESLURM_INVALID_PARTITION_NAME, 2001 ESLURM_DEFAULT_PARTITION_NOT_SET",
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="this user may not use that partition: name another one, or ask the site for access",
        numbers="2003 ESLURM_JOB_MISSING_REQUIRED_PARTITION_GROUP",
    ),
    Group(
        meaning=Meaning.LATER,
        advice="the partition takes no jobs now; the operator tries again",
        numbers="2070 ESLURM_PARTITION_NOT_AVAIL, 2101 ESLURM_PARTITION_DOWN",
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="ask for nodes that the partition has, and for no more of anything than one of its nodes has",
        numbers="""
            2004 ESLURM_REQUESTED_NODES_NOT_IN_PARTITION, 2005 ESLURM_TOO_MANY_REQUESTED_CPUS,
            2014 ESLURM_REQUESTED_NODE_CONFIG_UNAVAILABLE, 2018 ESLURM_INVALID_NODE_NAME,
            2044 ESLURM_INVALID_TASK_MEMORY, 2069 ESLURM_INVALID_CPU_COUNT, 2132 ESLURM_BAD_THREAD_PER_CORE,
            2134 ESLURM_INSUFFICIENT_GRES, 2174 ESLURM_RES_CORES_PER_GPU_UNIQUE, 2175 ESLURM_RES_CORES_PER_GPU_TOPO,
            2176 ESLURM_RES_CORES_PER_GPU_NO
        """,
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="no node can run this as the partition is now: its limits or the job have to be changed",
        numbers="2015 ESLURM_REQUESTED_PART_CONFIG_UNAVAILABLE",
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="correct the number of nodes",
        numbers="2006 ESLURM_INVALID_NODE_COUNT, 2008 ESLURM_JOB_MISSING_SIZE_SPECIFICATION",
    ),
    Group(
        meaning=Meaning.LATER,
        advice="the nodes are taken, down or reserved just now; the operator tries again",
        numbers="""
            2016 ESLURM_NODES_BUSY, 2035 ESLURM_FRAGMENTATION, 2068 ESLURM_NODE_NOT_AVAIL,
            2078 ESLURM_CAN_NOT_START_IMMEDIATELY, 2118 ESLURM_RESERVATION_MAINT, 2120 ESLURM_REBOOT_IN_PROGRESS,
            2177 ESLURM_MAX_POWERED_NODES, 7201 ESLURM_TOPO_REQ_NODES_NOT_AVAIL,
            7202 ESLURM_TOPO_REQ_NODES_NO_MATCH_TOPO, 7203 ESLURM_TOPO_NO_FIT, 7204 ESLURM_TOPO_SEGMENT_NO_FIT,
            7205 ESLURM_TOPO_INSUFFICIENT_RESOURCES, 7206 ESLURM_TOPO_WEIGHT_NO_FIT, 7207 ESLURM_TOPO_MAX_NODE_LIMIT,
            7208 ESLURM_TOPO_EMPTY_NODE_MAP
        """,
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="correct the features that are asked for (`constraint`, `prefer`, `batch`)",
        numbers="""
            2029 ESLURM_INVALID_FEATURE, 2031 ESLURM_ACTIVE_FEATURE_NOT_SUBSET, 2114 ESLURM_BATCH_CONSTRAINT,
            2121 ESLURM_MULTI_KNL_CONSTRAINT, 2133 ESLURM_INVALID_PREFER, 8001 ESLURM_INVALID_KNL
        """,
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="correct the generic resources that are asked for (`gres`, `gpus`)",
        numbers="""
            2072 ESLURM_INVALID_GRES, 2102 ESLURM_DUPLICATE_GRES, 2115 ESLURM_INVALID_TRES,
            2119 ESLURM_INVALID_GRES_TYPE, 2122 ESLURM_UNSUPPORTED_GRES
        """,
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="correct the number of tasks, and how they are laid out",
        numbers="2023 ESLURM_BAD_DIST, 2025 ESLURM_BAD_TASK_COUNT, 2041 ESLURM_TAKEOVER_NO_HEARTBEAT",
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="the topology cannot hold the job: ask for less, or for another layout",
        numbers="2178 ESLURM_REQUESTED_TOPO_CONFIG_UNAVAILABLE",
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="name an account that the user may charge, together with that partition",
        numbers="2045 ESLURM_INVALID_ACCOUNT, 2167 ESLURM_INVALID_ASSOC",
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="name a QOS that the user has for this account",
        numbers="2066 ESLURM_INVALID_QOS, 2170 ESLURM_INVALID_RELATIVE_QOS",
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="correct `wckey`",
        numbers="2057 ESLURM_INVALID_WCKEY",
    ),
    Group(
        meaning=Meaning.LATER,
        advice=(
            "a limit of the account or of the QOS is reached, or this job would pass it; the operator "
            "tries again until it fits"
        ),
        numbers="2050 ESLURM_ACCOUNTING_POLICY, 2074 ESLURM_QOS_THRES",
    ),
    Group(
        meaning=Meaning.LATER,
        advice="Slurm's queue is full (MaxJobCount; before 26.05 it says EAGAIN); the operator tries again",
        numbers="11 EAGAIN, 2007 ESLURM_MAX_JOB_COUNT",
    ),
    Group(
        meaning=Meaning.LATER,
        advice="the site takes no submissions now; the operator tries again",
        numbers="2105 ESLURM_SUBMISSIONS_DISABLED",
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="correct the time limit: above zero, within the partition's and the QOS's limits",
        numbers="2051 ESLURM_INVALID_TIME_LIMIT, 2124 ESLURM_INVALID_TIME_MIN_LIMIT, 8000 ESLURM_MISSING_TIME_LIMIT",
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="correct the times that are given (`begin`, `deadline`)",
        numbers="2054 ESLURM_INVALID_TIME_VALUE",
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="correct `reservation`, or ask for access to it",
        numbers="2052 ESLURM_RESERVATION_ACCESS, 2053 ESLURM_RESERVATION_INVALID",
    ),
    Group(
        meaning=Meaning.LATER,
        advice="the reservation is not to be used now; the operator tries again",
        numbers="2055 ESLURM_RESERVATION_BUSY, 2056 ESLURM_RESERVATION_NOT_USABLE",
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="correct `licenses`",
        numbers="2048 ESLURM_INVALID_LICENSES",
    ),
    Group(
        meaning=Meaning.LATER,
        advice="licenses are taken just now (on Slurm 22.05: `distribution=arbitrary` is not possible here)",
        numbers="2040 ESLURM_LICENSES_UNAVAILABLE",
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="correct `dependency`: jobs that exist, and no circle",
        numbers="2038 ESLURM_DEPENDENCY, 2071 ESLURM_CIRCULAR_DEPENDENCY",
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="correct `array`",
        numbers="2081 ESLURM_INVALID_ARRAY",
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="correct `nice`, or `priority`",
        numbers="2095 ESLURM_PRIO_RESET_FAIL, 2123 ESLURM_INVALID_NICE",
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="the user is not allowed to do this",
        numbers="2002 ESLURM_ACCESS_DENIED, 2099 ESLURM_INVALID_MCS_LABEL",
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="the job is another user's, or this user is not known to Slurm",
        numbers="2010 ESLURM_USER_ID_MISSING",
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="this user is not known to Slurm",
        numbers="""
            2113 ESLURM_GROUP_ID_MISSING, 2163 ESLURM_GROUP_ID_INVALID,
            2164 ESLURM_GROUP_ID_UNKNOWN, 2165 ESLURM_USER_ID_INVALID, 2166 ESLURM_USER_ID_UNKNOWN,
            9004 ESLURM_REST_MISSING_UID, 9005 ESLURM_REST_MISSING_GID
        """,
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="the site has burst buffers of another kind, or none",
        numbers="2092 ESLURM_BURST_BUFFER_PERMISSION, 2094 ESLURM_INVALID_BURST_BUFFER_REQUEST",
    ),
    Group(
        meaning=Meaning.LATER,
        advice="burst buffers are full; the operator tries again",
        numbers="2093 ESLURM_BURST_BUFFER_LIMIT, 2100 ESLURM_BURST_BUFFER_WAIT",
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="correct what is said about containers",
        numbers="""
            2135 ESLURM_INVALID_CONTAINER_ID, 4031 ESLURMD_CONTAINER_RUNTIME_INVALID,
            10000 ESLURM_CONTAINER_NOT_CONFIGURED
        """,
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="correct `extra`",
        numbers="2171 ESLURM_INVALID_EXTRA",
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="the working directory has to be given",
        numbers="2063 ESLURM_MISSING_WORK_DIR",
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="a name or path is longer than Slurm takes",
        numbers="2012 ESLURM_PATHNAME_TOO_LONG",
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="the script or its environment is missing",
        numbers="2009 ESLURM_JOB_SCRIPT_MISSING, 2127 ESLURM_ENVIRONMENT_MISSING",
    ),
    Group(
        meaning=Meaning.LATER,
        advice="slurmctld cannot write the script: its disk may be full; the operator tries again",
        numbers="2019 ESLURM_WRITING_TO_FILE",
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="this cluster cannot do it, or has it switched off: ask the site",
        numbers="""
            2036 ESLURM_NOT_SUPPORTED, 2037 ESLURM_DISABLED, 2039 ESLURM_BATCH_ONLY, 2060 ESLURM_PORTS_INVALID,
            2062 ESLURM_NO_STEPS, 2112 ESLURM_X11_NOT_AVAIL, 2130 ESLURM_PARTITION_ASSOC,
            2179 ESLURM_PREEMPTION_REQUIRED
        """,
    ),
    Group(
        meaning=Meaning.LATER,
        advice="something on the cluster is not ready yet; the operator tries again",
        numbers="""
            2022 ESLURM_INTERCONNECT_FAILURE, 2026 ESLURM_INVALID_JOB_CREDENTIAL, 2059 ESLURM_PORTS_BUSY,
            2061 ESLURM_PROLOG_RUNNING, 2075 ESLURM_PARTITION_IN_USE, 2079 ESLURM_INTERCONNECT_BUSY, 2103 -
        """,
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="started at once or not at all, it cannot be started",
        numbers="2013 ESLURM_NOT_TOP_PRIORITY, 2125 ESLURM_DEFER",
    ),
    Group(
        meaning=Meaning.LATER,
        advice="the job is in between two states; the operator tries again",
        numbers="2020 ESLURM_TRANSITION_STATE_NO_UPDATE, 2024 ESLURM_JOB_PENDING, 2077 ESLURM_JOB_SUSPENDED",
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="the job is not in a state in which this can be done",
        numbers="""
            2021 ESLURM_ALREADY_DONE, 2042 ESLURM_JOB_HELD, 2064 ESLURM_STEPS_DRAINED, 2073 ESLURM_JOB_NOT_PENDING,
            2076 ESLURM_STEP_LIMIT, 2083 ESLURM_JOB_STARTED, 2084 ESLURM_JOB_FINISHED, 2085 ESLURM_JOB_NOT_RUNNING,
            2086 ESLURM_JOB_NOT_PENDING_NOR_RUNNING, 2087 ESLURM_JOB_NOT_SUSPENDED, 2088 ESLURM_JOB_NOT_FINISHED,
            2160 ESLURM_JOB_TIMEOUT_KILLED, 2161 ESLURM_JOB_NODE_FAIL_KILLED, 2172 ESLURM_JOB_SIGNAL_FAILED,
            2180 ESLURM_INVALID_NODE_STATE_TRANSITION, 2181 ESLURM_INVALID_JOB_STATE, 2188 ESLURM_STEP_QUEUED
        """,
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="a job that scrontab made: change it there",
        numbers="2096 ESLURM_CANNOT_MODIFY_CRON_JOB, 2098 ESLURM_CANNOT_CANCEL_CRON_JOB",
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="an array or a heterogeneous job has to be named as a whole",
        numbers="""
            2106 ESLURM_NOT_HET_JOB, 2107 ESLURM_NOT_HET_JOB_LEADER, 2108 ESLURM_NOT_WHOLE_HET_JOB,
            2159 ESLURM_INVALID_HET_STEP_JOB
        """,
    ),
    Group(
        meaning=Meaning.NEVER,
        advice="not a job id: a defect of the operator, please report it",
        numbers="""
            2011 ESLURM_DUPLICATE_JOB_ID, 2110 ESLURM_DUPLICATE_STEP_ID, 2136 ESLURM_EMPTY_JOB_ID,
            2137 ESLURM_INVALID_JOB_ID_ZERO, 2138 ESLURM_INVALID_JOB_ID_NEGATIVE,
            2139 ESLURM_INVALID_JOB_ID_TOO_LARGE, 2140 ESLURM_INVALID_JOB_ID_NON_NUMERIC,
            2141 ESLURM_EMPTY_JOB_ARRAY_ID, 2142 ESLURM_INVALID_JOB_ARRAY_ID_NEGATIVE,
            2143 ESLURM_INVALID_JOB_ARRAY_ID_TOO_LARGE, 2144 ESLURM_INVALID_JOB_ARRAY_ID_NON_NUMERIC,
            2146 ESLURM_EMPTY_HET_JOB_COMP, 2147 ESLURM_INVALID_HET_JOB_COMP_NEGATIVE,
            2148 ESLURM_INVALID_HET_JOB_COMP_TOO_LARGE, 2150 ESLURM_EMPTY_STEP_ID,
            2151 ESLURM_INVALID_STEP_ID_NEGATIVE, 2152 ESLURM_INVALID_STEP_ID_TOO_LARGE,
            2153 ESLURM_INVALID_STEP_ID_NON_NUMERIC, 2154 ESLURM_EMPTY_HET_STEP, 2155 ESLURM_INVALID_HET_STEP_ZERO,
            2156 ESLURM_INVALID_HET_STEP_NEGATIVE, 2157 ESLURM_INVALID_HET_STEP_TOO_LARGE,
            2158 ESLURM_INVALID_HET_STEP_NON_NUMERIC, 2173 ESLURM_SIGNAL_JOBS_INVALID, 2185 ESLURM_INVALID_SLUID
        """,
    ),
)
