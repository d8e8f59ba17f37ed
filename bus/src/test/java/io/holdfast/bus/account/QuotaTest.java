package io.holdfast.bus.account;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.holdfast.bus.Allocation;
import io.holdfast.bus.account.Quota.Account;
import io.holdfast.bus.account.Quota.Share;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.config.Limits;
import io.holdfast.core.machine.SubordinateUids;
import io.holdfast.core.testkit.Gen;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(120)
class QuotaTest {
    private static final Limits LIMITS =
            Limits.BUILT_IN
                    .with(BusLimit.MAX_BYTES_PER_USER, 1200)
                    .with(BusLimit.MAX_UNIX_FDS_PER_USER, 120)
                    .with(BusLimit.MAX_OBJECTS_PER_USER, 1000)
                    .with(BusLimit.MAX_MATCH_RULES_PER_USER, 30);

    private final Quota quota = new Quota(LIMITS);

    @Test
    void aUserMayFillWhatIsItsOwn() {
        Account account = open(1);

        Share share = charge(account, account, ChargedResource.INCOMING, 1200, 0);
        assertThat(quota.charge(account, account, ChargedResource.INCOMING, 1, 0)).isNull();
        assertThat(quota.refusal().toString())
                .isEqualTo(
                        "max_bytes_per_user of user 1: 1200 of 1200 used, :1.1 asked for more;"
                                + " taken by user 1: 1200");
        quota.release(account, share, ChargedResource.INCOMING, 1200, 0);
        assertThat(quota.charge(account, account, ChargedResource.INCOMING, 1200, 0)).isNotNull();
    }

    @Test
    void eachNextActorGetsAFairPartOfWhatIsLeft() {
        Account receiver = open(1);
        // 1200 are free: the first actor gets a half, the next a third of the rest, the next a
        // quarter, …
        assertThat(fill(receiver, open(2))).isEqualTo(600);
        assertThat(fill(receiver, open(3))).isEqualTo(200);
        assertThat(fill(receiver, open(4))).isEqualTo(100);
        assertThat(fill(receiver, open(5))).isEqualTo(60);
        assertThat(quota.refusal().toString())
                .startsWith("max_bytes_per_user of user 1: 960 of 1200 used")
                .contains("on behalf of user 5", "user 2: 600", "user 3: 200");
    }

    /** Charges held messages until one is refused: they have no queue that limits them. */
    private long fill(Account receiver, Account actor) {
        long filled = 0;
        while (quota.charge(receiver, actor, ChargedResource.HELD, 1, 0) != null) {
            filled++;
        }
        return filled;
    }

    @Test
    void oneConnectionThatNeverReadsStarvesNoOtherOfItsUser() {
        Account deaf = open(1);
        Account other = open(1);
        long queued = 0;
        while (quota.charge(deaf, other, ChargedResource.OUTGOING, 10, 0) != null) {
            queued += 10;
        }

        assertThat(queued).as("half of a queue's fair part").isEqualTo(300);
        assertThat(quota.charge(other, deaf, ChargedResource.OUTGOING, 150, 0)).isNotNull();
        assertThat(quota.charge(other, other, ChargedResource.INCOMING, 300, 0)).isNotNull();
    }

    @Test
    void descriptorsAreSharedLikeBytes() {
        Account receiver = open(1); // takes 2 itself
        Account actor = open(2);

        assertThat(quota.charge(receiver, actor, ChargedResource.HELD, 0, 40)).isNull();
        assertThat(quota.charge(receiver, actor, ChargedResource.HELD, 0, 39)).isNotNull();
        assertThat(quota.charge(receiver, actor, ChargedResource.HELD, 0, 1)).isNull();
        assertThat(quota.refusal().limit()).isEqualTo(BusLimit.MAX_UNIX_FDS_PER_USER);
    }

    /** It does not matter over how many receivers and connections a user spreads them. */
    @Test
    void ofTheDescriptorsOfTheProcessEachUserLeavesHalfOfWhatOthersLeave() {
        Quota small = new Quota(Limits.BUILT_IN.with(BusLimit.MAX_UNIX_FDS, 160));
        Account greedy = requireNonNull(small.open(5_001, ":1.1", 0));
        int taken = 0;
        for (long receiver = 6_000; receiver < 6_100; receiver++) {
            Account other = requireNonNull(small.open(receiver, ":1." + receiver, 0));
            while (small.charge(other, greedy, ChargedResource.HELD, 0, 1) != null) {
                taken++;
            }
        }
        assertThat(taken).as("half of the half that is not root's").isEqualTo(40);
        assertThat(small.refusal().limit()).isEqualTo(BusLimit.MAX_UNIX_FDS);
        assertThat(small.refusal().toString())
                .isEqualTo(
                        "max_unix_fds: user 5001 holds 40 of 160; raise RLIMIT_NOFILE of this"
                                + " process (LimitNOFILE= of its unit);"
                                + " :1.6099 asked for more");
        Account innocent = requireNonNull(small.open(5_002, ":1.2", 2));
        assertThat(small.charge(innocent, innocent, ChargedResource.INCOMING, 0, 8)).isNotNull();
        Account root = requireNonNull(small.open(0, ":1.3", 2));
        assertThat(small.charge(root, root, ChargedResource.INCOMING, 0, 80)).isNotNull();
    }

    @Test
    void descriptorsThatAreReleasedCanBeTakenAgain() {
        Quota small = new Quota(Limits.BUILT_IN.with(BusLimit.MAX_UNIX_FDS, 160));
        for (int i = 0; i < 100; i++) {
            Account account = requireNonNull(small.open(5_001, ":1.1", 2));
            Share share =
                    requireNonNull(small.charge(account, account, ChargedResource.INCOMING, 0, 38));
            assertThat(small.charge(account, account, ChargedResource.INCOMING, 0, 1)).isNull();
            small.release(account, share, ChargedResource.INCOMING, 0, 38);
            small.close(account);
        }
    }

    @Test
    void aNumberThatOverflowsIsRefused() {
        Account account = open(1);
        Account actor = open(2);
        charge(account, actor, ChargedResource.HELD, 1, 0);

        assertThat(quota.charge(account, actor, ChargedResource.HELD, Long.MAX_VALUE, 0)).isNull();
        assertThat(quota.charge(account, account, ChargedResource.INCOMING, Long.MAX_VALUE, 0))
                .isNull();
        quota.limits(LimitTable.of(LIMITS.with(BusLimit.MAX_BYTES_PER_USER, Long.MAX_VALUE)));
        assertThat(quota.charge(account, actor, ChargedResource.HELD, Long.MAX_VALUE - 1, 0))
                .isNull();
        assertThat(quota.charge(account, actor, ChargedResource.HELD, Long.MAX_VALUE / 4, 0))
                .isNotNull();
    }

    @ParameterizedTest
    @EnumSource(
            value = ChargedResource.class,
            names = {"MATCH_RULE", "NAME", "REPLY"})
    void thingsAreCountedPerConnection(ChargedResource what) {
        Quota small = new Quota(Limits.BUILT_IN.with(requireNonNull(what.count), 2));
        Account account = open(small, 1);
        Account other = open(small, 1);
        Share share = requireNonNull(small.charge(account, account, what, 0, 0));

        assertThat(small.charge(account, account, what, 0, 0)).isNotNull();
        assertThat(small.charge(account, account, what, 0, 0)).isNull();
        assertThat(small.refusal().toString()).isEqualTo(what.count + " of :1.1: 2 of 2 used");
        assertThat(small.charge(other, other, what, 0, 0)).isNotNull();
        small.release(account, share, what, 0, 0);
        assertThat(small.charge(account, account, what, 0, 0)).isNotNull();
        assertThat(account.count(what)).isEqualTo(2);
    }

    @ParameterizedTest
    @EnumSource(
            value = ChargedResource.class,
            names = {"INCOMING", "OUTGOING", "HELD"})
    void aQueueTakesOneMoreWhileItIsBelowItsLimits(ChargedResource what) {
        Quota small =
                new Quota(
                        Limits.BUILT_IN
                                .with(requireNonNull(what.bytes), 100)
                                .with(requireNonNull(what.fds), 10));
        Account account = open(small, 1);

        assertThat(small.charge(account, account, what, 99, 9)).isNotNull();
        assertThat(small.charge(account, account, what, 0, 20)).isNotNull();
        assertThat(small.charge(account, account, what, 0, 1)).isNull();
        assertThat(small.refusal().limit()).isEqualTo(what.fds);
        Share last = requireNonNull(small.charge(account, account, what, 5000, 0));
        assertThat(small.charge(account, account, what, 1, 0)).isNull();
        assertThat(small.refusal().toString()).isEqualTo(what.bytes + " of :1.1: 5099 of 100 used");
        small.release(account, last, what, 5000, 0);
        assertThat(small.charge(account, account, what, 1, 0)).isNotNull();
    }

    @Test
    void othersFillHalfOfAQueueSoThatNoneOfThemHasItsOwnerPutOff() {
        Quota small =
                new Quota(
                        Limits.BUILT_IN
                                .with(BusLimit.MAX_OUTGOING_BYTES, 100)
                                .with(BusLimit.MAX_OUTGOING_UNIX_FDS, 10));
        Account receiver = open(small, 1);
        Account other = open(small, 2);

        assertThat(small.charge(receiver, other, ChargedResource.OUTGOING, 50, 5)).isNotNull();
        assertThat(small.charge(receiver, other, ChargedResource.OUTGOING, 1, 0)).isNull();
        assertThat(small.refusal().toString())
                .isEqualTo(
                        "max_outgoing_bytes of :1.1: 50 of 100 used on behalf of user 2;"
                                + " taken by user 2: 50");
        assertThat(small.charge(receiver, receiver, ChargedResource.OUTGOING, 49, 5)).isNotNull();
        assertThat(small.charge(receiver, receiver, ChargedResource.OUTGOING, 1, 0)).isNotNull();
        assertThat(small.charge(receiver, receiver, ChargedResource.OUTGOING, 1, 0)).isNull();
    }

    @Test
    void eachSendingUserGetsAFairPartOfAQueueAndAlwaysOneMessage() {
        Quota small = new Quota(Limits.BUILT_IN.with(BusLimit.MAX_OUTGOING_BYTES, 2400));
        Account receiver = open(small, 1);
        Account[] greedy = {open(small, 2), open(small, 2)};
        int taken = 0;
        while (queue(small, receiver, greedy[taken % 2]) != null) {
            taken++;
        }
        assertThat(taken).as("half of the senders' half, over all connections").isEqualTo(600);
        Account second = open(small, 3);
        for (int i = 0; i < 200; i++) {
            assertThat(queue(small, receiver, second)).isNotNull();
        }
        assertThat(queue(small, receiver, second)).isNull();
        Account own = open(small, 1);
        for (int i = 0; i < 400; i++) {
            assertThat(queue(small, receiver, own)).isNotNull();
        }
        assertThat(queue(small, receiver, own)).isNull();
        for (long uid = 4; uid < 100; uid++) {
            Account last = open(small, uid);
            Share share = requireNonNull(queue(small, receiver, last));
            assertThat(queue(small, receiver, last)).isNull();
            small.release(receiver, share, ChargedResource.OUTGOING, 1, 0);
            assertThat(queue(small, receiver, last)).isNotNull();
        }
        assertThat(small.charge(receiver, receiver, ChargedResource.OUTGOING, 1200, 0)).isNotNull();
    }

    private static @Nullable Share queue(Quota quota, Account receiver, Account sender) {
        return quota.charge(receiver, sender, ChargedResource.OUTGOING, 1, 0);
    }

    @Test
    void theQueuesIntoWhichAUserSendsShareItsPart() {
        Account sender = open(2);
        long queued = 0;
        while (quota.charge(open(1), sender, ChargedResource.OUTGOING, 10, 0) != null) {
            queued += 10; // one message for each of many clients
        }
        assertThat(queued).isEqualTo(300);
        Account innocent = open(3);
        assertThat(quota.charge(open(1), innocent, ChargedResource.OUTGOING, 100, 0)).isNotNull();
    }

    @Test
    void noneOfItsUsersOthersHasASlowOnePutOff() {
        Account slow = open(1);
        Account flooder = open(1);
        while (quota.charge(slow, flooder, ChargedResource.OUTGOING, 10, 1) != null) {
            // until it is refused
        }
        assertThat(slow.bytes(ChargedResource.OUTGOING))
                .isEqualTo(290); // descriptors were the limit
        assertThat(quota.refusal().limit()).isEqualTo(BusLimit.MAX_UNIX_FDS_PER_USER);

        assertThat(quota.charge(slow, slow, ChargedResource.OUTGOING, 455, 20)).isNotNull();
        assertThat(quota.charge(slow, slow, ChargedResource.OUTGOING, 100, 0)).isNull();
    }

    @Test
    void rulesAreCountedPerUserToo() {
        Account[] accounts = {open(1), open(1)};
        for (int i = 0; i < 30; i++) {
            assertThat(
                            quota.charge(
                                    accounts[i % 2],
                                    accounts[i % 2],
                                    ChargedResource.MATCH_RULE,
                                    0,
                                    0))
                    .isNotNull();
        }

        assertThat(quota.charge(accounts[0], accounts[0], ChargedResource.MATCH_RULE, 0, 0))
                .isNull();
        assertThat(quota.refusal().limit()).isEqualTo(BusLimit.MAX_MATCH_RULES_PER_USER);
    }

    @Test
    void whenMemoryIsShortEachConnectionAndUserGetsAFairPartOfIt() {
        Quota small = new Quota(Limits.BUILT_IN.with(BusLimit.MAX_TABLE_BYTES, 2_000_000));
        Account greedy = open(small, 1);
        int names = names(small, greedy);
        assertThat(names).as("a quarter of it").isEqualTo((500_000 - 4_096) / 1_024);
        assertThat(small.refusal().toString())
                .startsWith("max_table_bytes: 499712 of 2000000 used, 499712 by user 1");
        int all = names;
        for (int i = 0; i < 5; i++) { // the rest of the user's half is for its others
            int more = names(small, open(small, 1));
            assertThat(more).isPositive();
            all += more;
        }
        assertThat(all).isLessThan((1_000_000 - 6 * 4_096) / 1_024);
        assertThat(names(small, greedy)).isZero();

        for (long uid = 2; uid < 9; uid++) { // and what is left of the bus is for other users
            assertThat(names(small, open(small, uid))).isPositive();
        }
        assertThat(small.charge(greedy, greedy, ChargedResource.OUTGOING, 1, 0))
                .as("messages are not in tables")
                .isNotNull();
        Quota fresh = new Quota(Limits.BUILT_IN.with(BusLimit.MAX_TABLE_BYTES, 2_000_000));
        Account again = open(fresh, 1);
        assertThat(names(fresh, again)).isEqualTo(names);
        fresh.release(again, again.own(), ChargedResource.NAME, names, 0, 0);
        assertThat(names(fresh, again)).as("names that were returned").isEqualTo(names);
    }

    private static int names(Quota quota, Account account) {
        int count = 0;
        while (quota.charge(account, account, ChargedResource.NAME, 0, 0) != null) {
            count++;
        }
        return count;
    }

    @Test
    void aUserHasNoMoreConnectionsThanItMay() {
        Quota small =
                new Quota(
                        LIMITS.with(BusLimit.MAX_CONNECTIONS_PER_USER, 1)
                                .with(BusLimit.MAX_OBJECTS_PER_USER, 3));
        Account first = open(small, 1);
        Account second = open(small, 1);

        assertThat(small.complete(first)).isTrue();
        assertThat(small.complete(second)).isFalse();
        assertThat(small.refusal().toString())
                .isEqualTo("max_connections_per_user of user 1: 1 of 1 used, :1.1 asked for more");
        assertThat(small.complete(open(small, 2))).isTrue();
        var _ = open(small, 1);
        assertThat(small.open(1, "a fourth", 2)).isNull();
        assertThat(small.refusal().limit()).isEqualTo(BusLimit.MAX_OBJECTS_PER_USER);
        small.close(first);
        assertThat(small.complete(second)).isTrue();
    }

    @Test
    void rootHasHalfOfTheConnectionsAndManyUsersLeaveRoomForTheNext() {
        Quota small = new Quota(Limits.BUILT_IN.with(BusLimit.MAX_COMPLETED_CONNECTIONS, 160));
        assertThat(complete(small, 5_001, 40)).as("on demand").isEqualTo(40);
        assertThat(complete(small, 5_001, 9)).isZero();
        assertThat(small.refusal().toString())
                .isEqualTo(
                        "max_completed_connections: 40 of 160 used; taken by user 5001: 40;"
                                + " :1.5001 asked for more");
        assertThat(complete(small, 5_002, 40)).isEqualTo(13);
        assertThat(complete(small, 5_003, 40)).isEqualTo(6);
        for (long uid = 5_004; uid < 5_007; uid++) {
            assertThat(complete(small, uid, 1)).isEqualTo(1);
        }
        assertThat(complete(small, 0, 200)).as("root").isEqualTo(160 - 62);
        assertThat(complete(small, 5_007, 1)).isZero();
    }

    private static int complete(Quota quota, long uid, int attempts) {
        int completed = 0;
        for (int i = 0; i < attempts; i++) {
            completed += quota.complete(open(quota, uid)) ? 1 : 0;
        }
        return completed;
    }

    @Test
    void subordinateUidsShareWhatTheirOwnerMayTake(@TempDir Path folder) throws Exception {
        Path ranges = Files.writeString(folder.resolve("subuid"), "5001:100000:65536\n");
        SubordinateUids uids = SubordinateUids.of(ranges, folder.resolve("passwd"));
        Limits limits = LIMITS.with(BusLimit.MAX_CONNECTIONS_PER_USER, 3);
        Quota small = new Quota(new LimitTable(limits, Map.of(), Map.of(), List.of(), uids));

        assertThat(complete(small, 100_000, 1)).isEqualTo(1);
        assertThat(complete(small, 5_001, 1)).isEqualTo(1);
        assertThat(complete(small, 100_001, 9)).isEqualTo(1);
        assertThat(complete(small, 200_000, 9)).isEqualTo(3);
        assertThat(small.usage()).hasSize(2);
    }

    @Test
    void eachRefusalIsCounted() {
        Account receiver = open(1);
        Account actor = open(2);

        assertThat(quota.charge(receiver, actor, ChargedResource.HELD, 700, 0)).isNull();
        assertThat(quota.charge(receiver, actor, ChargedResource.HELD, 700, 0)).isNull();
        assertThat(quota.charge(receiver, open(3), ChargedResource.HELD, 700, 0)).isNull();
        assertThat(quota.tally().limits().values()).containsExactly(3L);
    }

    @Test
    void nothingIsReleasedTwiceOrLeftBehind() {
        Account account = open(1);
        Share share = charge(account, account, ChargedResource.NAME, 0, 0);

        assertThatIllegalStateException()
                .isThrownBy(() -> quota.close(account))
                .withMessage(":1.1 is closed with 1 of NAME");
        quota.release(account, share, ChargedResource.NAME, 0, 0);
        assertThatIllegalStateException()
                .isThrownBy(() -> quota.release(account, share, ChargedResource.NAME, 0, 0));
        quota.close(account);
        assertThat(quota.usage()).isEmpty();
    }

    @Test
    void whatASenderLeftInQueuesOutlivesIt() {
        Account receiver = open(1);
        Account sender = open(2);
        Share share = charge(receiver, sender, ChargedResource.OUTGOING, 10, 1);
        quota.close(sender);

        assertThat(quota.usage()).hasSize(2);
        assertThat(quota.usage().stream().filter(usage -> usage.uid() == 1).findFirst())
                .hasValueSatisfying(usage ->
                        assertThat(usage.byActor())
                                .isEqualTo(
                                        Map.of(
                                                1L, List.of(0L, 2L, 0L, 1L),
                                                2L, List.of(10L, 1L, 0L, 0L))));
        quota.release(receiver, share, ChargedResource.OUTGOING, 10, 1);
        assertThat(quota.usage()).hasSize(1);
        quota.close(receiver);
        assertThat(quota.usage()).isEmpty();
    }

    @Test
    void chargingAMessageWithoutDescriptorsAllocatesNothing() {
        Account receiver = open(100_000);
        Account sender = open(200_000);

        Allocation.assertNone(() -> {
            Share share = charge(receiver, sender, ChargedResource.OUTGOING, 100, 0);
            quota.release(receiver, share, ChargedResource.OUTGOING, 100, 0);
        });
    }

    private record Charged(
            Account account, Share share, ChargedResource what, long bytes, int fds) {}

    @ParameterizedTest
    @MethodSource("generators")
    void whateverHappensEverythingIsGivenBack(Gen gen) {
        List<Account> accounts = new ArrayList<>();
        List<Charged> charged = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            accounts.add(open(gen.between(1, 4)));
        }
        for (int i = 0; i < 300; i++) {
            if (gen.chance(0.6)) {
                Account account = gen.oneOf(accounts);
                ChargedResource what =
                        gen.oneOf(
                                ChargedResource.INCOMING,
                                ChargedResource.OUTGOING,
                                ChargedResource.REPLY);
                long bytes = gen.between(0, 100);
                int fds = gen.between(0, 3);
                Share share = quota.charge(account, gen.oneOf(accounts), what, bytes, fds);
                if (share != null) {
                    charged.add(new Charged(account, share, what, bytes, fds));
                }
            } else if (!charged.isEmpty()) {
                release(charged.remove(gen.between(0, charged.size() - 1)));
            }
            assertThat(quota.usage())
                    .allSatisfy(usage -> assertThat(usage.used().getFirst()).isBetween(0L, 1200L));
        }
        charged.forEach(this::release);
        accounts.forEach(quota::close);
        assertThat(quota.usage()).isEmpty();
    }

    static Stream<Gen> generators() {
        return Gen.cases(50);
    }

    private void release(Charged one) {
        quota.release(one.account, one.share, one.what, one.bytes, one.fds);
    }

    private Account open(long uid) {
        return open(quota, uid);
    }

    private static Account open(Quota quota, long uid) {
        return requireNonNull(quota.open(uid, ":1." + uid, 2));
    }

    private Share charge(
            Account account, Account actor, ChargedResource what, long bytes, int fds) {
        return requireNonNull(quota.charge(account, actor, what, bytes, fds));
    }

    @Test
    void whatWasRefusedToUsersWhoAreGoneIsKeptOfTheLastOnes() {
        Quota none = new Quota(Limits.BUILT_IN.with(BusLimit.MAX_NAMES_PER_CONNECTION, 0));
        for (long uid = 0; uid <= Quota.MAX_PAST_USERS; uid++) {
            Account account = requireNonNull(none.open(uid, "x", 2));
            assertThat(none.charge(account, account, ChargedResource.NAME, 0, 0)).isNull();
            none.close(account);
        }
        assertThat(none.usage()).isEmpty();
        assertThat(none.past())
                .hasSize(Quota.MAX_PAST_USERS)
                .noneMatch(usage -> usage.uid() == 0)
                .allMatch(usage -> usage.connections() == 0);

        Account back = requireNonNull(none.open(1, "x", 2));
        assertThat(none.usage(back).tally().limits())
                .isEqualTo(Map.of("max_names_per_connection", 1L));
        assertThat(back.tally().limits()).isEmpty();
        assertThat(none.usage()).hasSize(1);
        assertThat(none.past()).hasSize(Quota.MAX_PAST_USERS - 1);
    }
}
