package io.holdfast.bus.relay;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.account.ChargedResource;
import io.holdfast.bus.account.Quota;
import io.holdfast.bus.account.Quota.Account;
import io.holdfast.bus.account.Quota.Share;
import io.holdfast.bus.config.Limits;
import io.holdfast.core.Errno;
import io.holdfast.core.Fd;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class OutQueueTest {
    @Test
    void descriptorsAreGivenBackWhenTheyHaveLeftWhateverWaitsBehindThem() {
        Quota quota = new Quota(Limits.BUILT_IN);
        Account account = requireNonNull(quota.open(1, "a client", 2));
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (Buffers buffers = new Buffers();
                UnixSocket one = pair[0];
                UnixSocket other = pair[1]) {
            OutQueue queue =
                    new OutQueue(
                            buffers,
                            (share, messages, bytes, fds) ->
                                    quota.release(
                                            account,
                                            share,
                                            ChargedResource.OUTGOING,
                                            messages,
                                            bytes,
                                            fds));
            PassedFds fds = new PassedFds(List.of(other.fd().duplicate()), Fd::close);
            queue.add(
                    charge(quota, account, 10, 1), MemorySegment.ofArray(new byte[10]), 0, 10, fds);
            fds.drop();
            int large = 8 << 20;
            queue.add(
                    charge(quota, account, large, 0),
                    MemorySegment.ofArray(new byte[large]),
                    0,
                    large,
                    null);

            assertThat(queue.flush(one.fd())).isEqualTo(-Errno.EAGAIN);
            assertThat(queue.descriptors()).isZero();
            assertThat(account.fds(ChargedResource.OUTGOING)).isZero();
            assertThat(account.bytes(ChargedResource.OUTGOING)).isPositive();

            queue.clear();
            quota.close(account);
            assertThat(quota.usage()).isEmpty();
        }
    }

    private static Share charge(Quota quota, Account account, long bytes, int fds) {
        return requireNonNull(quota.charge(account, account, ChargedResource.OUTGOING, bytes, fds));
    }
}
