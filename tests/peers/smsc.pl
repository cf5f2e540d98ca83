#!/usr/bin/perl
# A short-message centre for tests, on Debian's Net::SMPP: a codec that is neither Kannel's nor ours, and shows raw octets.
#
#   smsc.pl PORT        one session after the other; a line for each submit_sm on standard output
#
# What it does with a message follows from the last digit of the number:
#   1 undelivered   2 expired   3 no receipt   4 refused (invalid destination)   5 throttled once, then delivered
#   6 receipt says unknown      others: delivered
use strict;
use warnings;
use Net::SMPP;

$| = 1;
$SIG{PIPE} = 'IGNORE';
my $server = Net::SMPP->new_listen('127.0.0.1', port => $ARGV[0], smpp_version => 0x34, Reuse => 1)
    or die "listen: $!";
print "listening\n";
my ($count, %throttled) = (0);
my %stat = (1 => ['UNDELIV', 5], 2 => ['EXPIRED', 3], 6 => ['UNKNOWN', 7]);

sub submit {
    my ($client, $pdu) = @_;
    my $to = $pdu->{destination_addr};
    my ($digit) = $to =~ /(\d)$/;
    my $status = 0;
    $status = 0x0b if $digit == 4;
    $status = 0x58 if $digit == 5 && !$throttled{$to}++;
    printf "submit to=%s from=%s dc=%d esm=%d rd=%d status=%d text=%s\n", $to, $pdu->{source_addr},
        $pdu->{data_coding}, $pdu->{esm_class}, $pdu->{registered_delivery}, $status,
        unpack('H*', ($pdu->{short_message} // '') . ($pdu->{message_payload} // ''));
    my $id = sprintf 'S%05d', ++$count;
    $client->submit_sm_resp(message_id => $status ? '' : $id, seq => $pdu->{seq}, status => $status);
    return if $status || $digit == 3 || !($pdu->{registered_delivery} & 1);
    my ($word, $state) = @{ $stat{$digit} // ['DELIVRD', 2] };
    select undef, undef, undef, 0.15;    # a receipt that overtakes the answer is lost in Kannel
    $client->deliver_sm(
        async => 1, source_addr => $to, destination_addr => $pdu->{source_addr}, esm_class => 4,
        short_message => "id:$id sub:001 dlvrd:001 submit date:2611220900 done date:2611220900 stat:$word err:000 text:",
        receipted_message_id => "$id\0", message_state => chr $state);
}

while (my $client = $server->accept) {
    while (my $pdu = $client->read_pdu) {
        if ($pdu->{cmd} == Net::SMPP::CMD_bind_transceiver) {
            $client->bind_transceiver_resp(system_id => 'test', seq => $pdu->{seq});
            print "bound\n";
        } elsif ($pdu->{cmd} == Net::SMPP::CMD_submit_sm) {
            submit($client, $pdu);
        } elsif ($pdu->{cmd} == Net::SMPP::CMD_enquire_link) {
            $client->enquire_link_resp(seq => $pdu->{seq});
        } elsif ($pdu->{cmd} == Net::SMPP::CMD_unbind) {
            $client->unbind_resp(seq => $pdu->{seq});
            last;
        }
    }
    $client->close;
}
