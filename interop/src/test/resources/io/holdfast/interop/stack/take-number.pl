# take-number.pl PID UID COMMAND...: runs a command as a user under a PID that is free. Prints "taken" or "lost".
use strict;
use warnings;
my ($number, $uid, @command) = @ARGV;
my $tids = pack('l', $number);
my $arguments = pack('Q11', 0, 0, 0, 0, 17, 0, 0, 0, unpack('Q', pack('P', $tids)), 1, 0);
my $child = syscall(435, $arguments, length $arguments); # clone3 with set_tid
$| = 1;
if ($child < 0) { print "lost: $!\n"; exit 1 }
if ($child == 0) {
    $( = $) = "$uid $uid";
    $< = $> = $uid;
    exec @command or die "$command[0]: $!";
}
print "taken $child\n";
waitpid $child, 0;
