# A parent process with children that do what a test wants (see ForeignParent.java). Reads a command a line:
#   child NAME OPTION=VALUE…         starts a child               -> ok PID [what its program says]
#   recycle PID NAME OPTION=VALUE…   ends and reaps PID, and gives its number to a new child
#   reap PID                         waits for it                 -> ok WAIT_STATUS
#   kill PID SIGNAL                  kill(2), by number           -> ok 1, or ok 0 if nobody has it
#   ignore                           lets the kernel reap children from now on
# and answers "ok …" or "error ERRNO WHERE". Ends its children when its input ends.
#
# Options: exit=STATUS and die=SIGNAL (at once), ignore=SIGNAL, uid=N, euid=N (the effective one, if it
# is to be another), cgroup=FOLDER, flags=CLONE_FLAGS,
# signal=EXIT_SIGNAL, session=1, children=N (of its own), relay=N (forks and exits, N times in a row),
# stream=ADDRESS, seqpacket=ADDRESS and datagram=ADDRESS (connects, and says hello), exec=PROGRAM,ARGUMENT,…
# which is told in READY_FD where to write the line that the test waits for.
use strict;
use warnings;
use POSIX ();
use Socket ();

my $arm = (POSIX::uname())[4] eq 'aarch64';
my $SYS_CLONE3 = 435;
my $SYS_PRCTL = $arm ? 167 : 157;
my $PR_SET_PDEATHSIG = 1;
my $SIGCHLD = 17;
my %children;
my @sockets; # held until the end
$^F = 255; # descriptors survive an exec
$SIG{PIPE} = 'IGNORE';

# clone3 returns twice, as fork does. A number that is not 0 is the PID that the child is to have.
sub clone3 {
    my ($flags, $signal, $number) = @_;
    my $tids = pack('l', $number);
    my $set_tid = $number ? unpack('Q', pack('P', $tids)) : 0;
    my $arguments = pack('Q11', $flags, 0, 0, 0, $signal, 0, 0, 0, $set_tid, $number ? 1 : 0, 0);
    return syscall($SYS_CLONE3, $arguments, length $arguments);
}

# /PATH or @ABSTRACT
sub say_hello {
    my ($type, $address) = @_;
    $address =~ s/^\@/\0/;
    socket my $socket, Socket::AF_UNIX, $type, 0 or return 0;
    connect $socket, Socket::pack_sockaddr_un($address) or return 0;
    syswrite $socket, 'hello' or return 0;
    push @sockets, $socket;
    return 1;
}

sub quiet_forever {
    sleep 1000 while 1;
}

sub child {
    my ($ready, $name, %option) = @_;
    my $fail = sub { syswrite $ready, "error " . ($! + 0) . " $_[0]\n"; POSIX::_exit(127) };
    $SIG{$_} = 'DEFAULT' for qw(PIPE CHLD);
    open STDIN, '<', '/dev/null' or $fail->('stdin');
    open STDOUT, '>', '/dev/null' or $fail->('stdout');
    $0 = $name;
    $SIG{$option{ignore}} = 'IGNORE' if defined $option{ignore};
    if (defined $option{cgroup}) {
        open my $procs, '>', "$option{cgroup}/cgroup.procs" or $fail->('cgroup');
        defined syswrite $procs, '0' or $fail->('cgroup');
        close $procs;
    }
    if ($option{session}) { POSIX::setsid() }
    if (defined $option{uid}) {
        $) = "$option{uid} $option{uid}";
        POSIX::setgid($option{uid}) or $fail->('setgid');
        my $effective = $option{euid} // $option{uid};
        if ($effective == $option{uid}) {
            POSIX::setuid($option{uid}) or $fail->('setuid');
        } else {
            ($<, $>) = ($option{uid}, $effective);
            $< == $option{uid} && $> == $effective or $fail->('setreuid');
        }
    }
    syscall $SYS_PRCTL, $PR_SET_PDEATHSIG, 9, 0, 0, 0;
    for (1 .. ($option{children} // 0)) {
        my $grandchild = fork;
        $fail->('fork') unless defined $grandchild;
        if (!$grandchild) {
            syscall $SYS_PRCTL, $PR_SET_PDEATHSIG, 9, 0, 0, 0;
            close $ready;
            quiet_forever();
        }
    }
    my %type = (
        stream => Socket::SOCK_STREAM,
        datagram => Socket::SOCK_DGRAM,
        seqpacket => Socket::SOCK_SEQPACKET,
    );
    for my $kind (keys %type) {
        next unless defined $option{$kind};
        say_hello($type{$kind}, $option{$kind}) or $fail->($kind);
    }
    if (defined $option{exec}) {
        my @command = split /,/, $option{exec};
        $ENV{READY_FD} = fileno $ready;
        exec {$command[0]} @command or $fail->('exec');
    }
    syswrite $ready, "ok\n";
    close $ready;
    POSIX::_exit($option{exit}) if defined $option{exit};
    kill $option{die}, $$ if defined $option{die};
    for (my $hops = $option{relay} // 0; $hops > 0; $hops--) {
        my $next = fork;
        POSIX::_exit(0) if !defined $next || $next;
    }
    quiet_forever();
}

# The answer to the command that asked for it.
sub birth {
    my ($number, $name, %option) = @_;
    pipe my $from_child, my $ready or return 'error ' . ($! + 0) . ' pipe';
    my $pid = clone3($option{flags} // 0, $option{signal} // $SIGCHLD, $number);
    return 'error ' . ($! + 0) . ' clone3' if $pid < 0;
    if ($pid == 0) {
        close $from_child;
        child($ready, $name, %option);
    }
    close $ready;
    $children{$pid} = 1;
    my $line = <$from_child> // "error 0 it ended before it was ready\n";
    chomp $line;
    if ($line =~ s/^ok *//) { return "ok $pid $line" }
    waitpid $pid, 0;
    delete $children{$pid};
    return $line;
}

sub answer {
    my ($command, @words) = @_;
    if ($command eq 'child') {
        my $name = shift @words;
        return birth(0, $name, map { split /=/, $_, 2 } @words);
    }
    if ($command eq 'recycle') {
        my ($pid, $name) = splice @words, 0, 2;
        kill 'KILL', $pid;
        waitpid($pid, 0) == $pid or return 'error ' . ($! + 0) . ' waitpid';
        delete $children{$pid};
        return birth($pid, $name, map { split /=/, $_, 2 } @words);
    }
    if ($command eq 'reap') {
        waitpid($words[0], 0) == $words[0] or return 'error ' . ($! + 0) . ' waitpid';
        delete $children{$words[0]};
        return "ok $?";
    }
    if ($command eq 'kill') { return 'ok ' . kill($words[1], $words[0]) }
    if ($command eq 'ignore') { $SIG{CHLD} = 'IGNORE'; return 'ok' }
    return "error 22 no such command: $command";
}

while (defined(my $line = <STDIN>)) {
    chomp $line;
    syswrite STDOUT, answer(split / /, $line) . "\n";
}
for my $pid (keys %children) {
    kill 'KILL', $pid;
    waitpid $pid, 0;
}
