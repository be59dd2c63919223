# fish completion for invctl

function __invctl_table
    string match -r -- '--table=\S+' (commandline -cp)
end

# Ids and names of live invocations, each described by the other; with -a of finished ones too. A
# name with a backslash is shown escaped, so it is not known: its id is offered alone.
function __invctl_selectors
    for row in (invctl (__invctl_table) list -n -o uuid,name $argv 2>/dev/null)
        set -l parts (string match -rg '^([0-9a-f-]{36})  (.*)$' -- $row); or continue
        printf '%s\t%s\n' $parts
        string match -qr '\\\\' -- $parts[2]; or printf '%s\t%s\n' $parts[2] $parts[1]
    end
end

function __invctl_names
    __invctl_selectors $argv | string match -rv '^[0-9a-f-]{36}\t'
end

# -a where the command line has it.
function __invctl_all
    __fish_contains_opt -s a all; and echo -- -a
end

# The states of an invocation, and what each means.
function __invctl_states
    printf '%s\t%s\n' pending 'Not started' running 'Started and not ended' requested 'To stop' \
        stopping 'The request is delivered' overdue 'Requested over 10 s ago, and not delivered' \
        paused '' stopped 'By a signal' shielded '' finishing 'Its finish command runs' \
        completed 'Exit status 0' done Completed cancelled '' error 'Failed or lost' \
        failed 'With an exit status or a signal' lost 'It was not seen how'
end

function __invctl_tables
    for file in /dev/shm/*
        test -f $file -a -O $file; and string replace /dev/shm/ '' $file
    end
end

function __invctl_columns
    invctl list --help | string match -rg '^  ([a-z-]+) {2,}(\S.*)$' | paste - -
end

function __invctl_no_command
    not __fish_seen_subcommand_from run cancel pause resume list ls ps show logs wait status hold release stop-all id check sleep log shield why help
end

function __invctl_of
    __fish_seen_subcommand_from $argv
end

complete -c invctl -f
complete -c invctl -l help -s '?' -d 'Give help'
complete -c invctl -l usage -d 'Give a short usage message'
complete -c invctl -l version -s V -d 'Print the version'
complete -c invctl -n __invctl_no_command -l table -x -a '(__invctl_tables)' -d 'The table to use'

complete -c invctl -n __invctl_no_command -a run -d 'Run a command that can be requested to stop'
complete -c invctl -n __invctl_no_command -a cancel -d 'Request invocations to stop'
complete -c invctl -n __invctl_no_command -a pause -d 'Stop invocations inside their next check'
complete -c invctl -n __invctl_no_command -a resume -d 'Let paused invocations go on'
complete -c invctl -n __invctl_no_command -a 'list ls ps' -d 'List the invocations'
complete -c invctl -n __invctl_no_command -a show -d 'Show everything about one invocation'
complete -c invctl -n __invctl_no_command -a logs -d 'Show its log and kept output'
complete -c invctl -n __invctl_no_command -a wait -d 'Wait until invocations have ended'
complete -c invctl -n __invctl_no_command -a status -d 'Show the table, its broker, and problems'
complete -c invctl -n __invctl_no_command -a hold -d 'Let nothing new start'
complete -c invctl -n __invctl_no_command -a release -d 'Let new ones start again'
complete -c invctl -n __invctl_no_command -a stop-all -d 'The emergency: hold, and stop everything'
complete -c invctl -n __invctl_no_command -a id -d 'Print the current invocation\'s id'
complete -c invctl -n __invctl_no_command -a check -d 'stop here if requested'
complete -c invctl -n __invctl_no_command -a sleep -d 'Sleep, unless requested to stop'
complete -c invctl -n __invctl_no_command -a log -d 'Append to the log'
complete -c invctl -n __invctl_no_command -a why -d 'Tell why an action was requested to stop'
complete -c invctl -n __invctl_no_command -a shield -d 'Hold requests back'
complete -c invctl -n __invctl_no_command -a help -d 'The help of a command'
complete -c invctl -n '__invctl_of help' -a 'run cancel pause resume list show logs wait status hold release stop-all id check sleep log shield why'

complete -c invctl -n '__invctl_of run' -s n -l name -x -d 'Its name'
complete -c invctl -n '__invctl_of run' -l id -x -d 'Its id'
complete -c invctl -n '__invctl_of run' -s t -l timeout -x -d 'Request it to stop after that time'
complete -c invctl -n '__invctl_of run' -s s -l signal -x -a 'none TERM INT HUP USR1 USR2' -d 'The signal for a command that does not check'
complete -c invctl -n '__invctl_of run' -l signal-after -x -d 'Signal one that checks, too'
complete -c invctl -n '__invctl_of run' -l signal-to -x -a 'all command' -d 'Whom the signal goes to'
complete -c invctl -n '__invctl_of run' -l cooperative -d 'It checks itself from the start'
complete -c invctl -n '__invctl_of run' -l finish -x -d 'Run this after the end of the command'
complete -c invctl -n '__invctl_of run' -l finish-timeout -x -d 'How long that may run'
complete -c invctl -n '__invctl_of run' -l stop -x -d 'Run this instead of signalling'
complete -c invctl -n '__invctl_of run' -s k -l kill-after -x -d 'SIGKILL that long after a request'
complete -c invctl -n '__invctl_of run' -l nested-wait -x -d 'How long a signal waits for nested ones'
complete -c invctl -n '__invctl_of run' -l no-kill -d 'Refuse SIGKILL'
complete -c invctl -n '__invctl_of run' -s d -l detach -d 'Leave it in the background'
complete -c invctl -n '__invctl_of run' -l id-file -r -F -d 'Write the id there'
complete -c invctl -n '__invctl_of run' -l no-parent -d 'Not nested'
complete -c invctl -n '__invctl_of run' -l output-limit -x -d 'Keep so much of its output'
complete -c invctl -n '__invctl_of run' -l preserve-status -d 'Exit as the command did'
complete -c invctl -n '__invctl_of run' -l wait-hold -d 'Wait where a hold stands'
complete -c invctl -n '__invctl_of run shield' -a '(__fish_complete_subcommand --fcs-skip=2)'

complete -c invctl -n '__invctl_of cancel' -s r -l reason -x -d 'Why'
complete -c invctl -n '__invctl_of cancel' -l only -d 'Not what it started'
complete -c invctl -n '__invctl_of cancel' -l signal -d 'Signal its processes now'
complete -c invctl -n '__invctl_of cancel' -l kill -d 'SIGKILL all that it started'
complete -c invctl -n '__invctl_of cancel' -l wait -d 'Wait until they have ended'
complete -c invctl -n '__invctl_of cancel' -l idempotent -d 'One that has finished counts as done'
complete -c invctl -n '__invctl_of cancel' -s v -l verbose -d 'The story of each'
complete -c invctl -n '__invctl_of cancel' -l dry-run -d 'Print the targets only'
complete -c invctl -n '__invctl_of cancel pause resume wait' -l name -x -a '(__invctl_names)' -d 'All live ones with such a name'
complete -c invctl -n '__invctl_of cancel pause resume wait' -l children -x -a '(__invctl_selectors)' -d 'All live ones started by that one'
complete -c invctl -n '__invctl_of cancel pause resume wait' -l all -d 'All live ones'
complete -c invctl -n '__invctl_of cancel pause resume' -a '(__invctl_selectors)'
complete -c invctl -n '__invctl_of pause' -l stop-processes -d 'Stop the processes of what never checks'
complete -c invctl -n '__invctl_of wait' -l any -d 'Until one has ended'
complete -c invctl -n '__invctl_of wait' -s t -l timeout -x -d 'Wait no longer'

complete -c invctl -n '__invctl_of list ls ps' -s a -l all -d 'Also finished ones'
complete -c invctl -n '__invctl_of list ls ps' -s q -l quiet -d 'Ids only'
complete -c invctl -n '__invctl_of list ls ps' -l full -d 'Whole ids and texts'
complete -c invctl -n '__invctl_of list ls ps' -l tree -d 'Each behind its parent'
complete -c invctl -n '__invctl_of list ls ps' -l status -x -a '(__fish_complete_list , __invctl_states)' -d 'Only these'
complete -c invctl -n '__invctl_of list ls ps' -l name -x -a '(__invctl_names (__invctl_all))' -d 'Only those with such a name'
complete -c invctl -n '__invctl_of list ls ps' -s o -l output -x -a '(__fish_complete_list , __invctl_columns)' -d 'These columns'
complete -c invctl -n '__invctl_of list ls ps' -s n -l noheadings -d 'No line of headings'
complete -c invctl -n '__invctl_of list ls ps show logs status why' -l json -d 'As JSON'
complete -c invctl -n '__invctl_of logs' -s f -l follow -d 'Go on until its end'
complete -c invctl -n '__invctl_of logs' -s n -l lines -x -d 'The last ones'
complete -c invctl -n '__invctl_of logs' -s p -l priority -x -a 'debug info warning error' -d 'And more severe ones'
complete -c invctl -n '__invctl_of logs' -l since -x -d 'Not what is older'
complete -c invctl -n '__invctl_of show wait logs' -a '(__invctl_selectors -a)'
complete -c invctl -n '__invctl_of list ls ps' -a '(__invctl_names (__invctl_all))'

complete -c invctl -n '__invctl_of hold' -l cancel-all -d 'Request all that runs to stop'
complete -c invctl -n '__invctl_of stop-all' -s r -l reason -x -d 'Why'
complete -c invctl -n '__invctl_of stop-all' -l wait -x -d 'Wait that long for them'

complete -c invctl -n '__invctl_of check sleep log' -l id -x -a '(__invctl_selectors)' -d 'Of that invocation'
complete -c invctl -n '__invctl_of why' -l id -x -a '(__invctl_selectors -a)' -d 'Of that invocation'
complete -c invctl -n '__invctl_of check sleep' -l peek -d 'Leave the request'
complete -c invctl -n '__invctl_of shield' -l limit -x -d 'End it after that time'
complete -c invctl -n '__invctl_of shield' -l begin -d 'A shield of this shell'
complete -c invctl -n '__invctl_of shield' -l end -d 'End that'
complete -c invctl -n '__invctl_of log' -s p -l priority -x -a 'debug info warning error' -d 'Level'
