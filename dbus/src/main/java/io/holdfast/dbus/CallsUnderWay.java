package io.holdfast.dbus;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.limit.Charge;
import io.holdfast.core.limit.FairShare;
import io.holdfast.core.linux.Unistd;
import io.holdfast.dbus.wire.Message;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Accounts for what the callers of our objects make this connection hold: calls that wait or run,
 * their bytes and descriptors, and answers until they are sent.
 *
 * <p>On a bus many users share one connection, so each of the four limits is a {@link FairShare}
 * among users, with a reserve for root and our own user. The bus names a caller by its unique name
 * only. The first calls of a name are charged to the name itself while the bus is asked for its
 * user, and what is charged then moves to the user's account: a user gains little by many
 * connections. Where other users have taken all that a stranger may have, the first calls of a name
 * wait until its user is known, for it may be one with a reserve. Unique names are never used
 * again, so the answer is kept. Without a bus there is one caller, who may take all. Thread-safe.
 */
final class CallsUnderWay {
    /** Names whose user is remembered; the bus is asked again for those that were dropped. */
    static final int KNOWN_NAMES = 1024;

    /** Calls that wait until the user of their name is known, and of these those of one name. */
    static final int WAITING = 256;

    static final int WAITING_OF_NAME = 4;

    private static final Object SINGLE_PEER = "the peer";

    private final boolean isBus;
    private final Function<String, CompletableFuture<Long>> userOf;
    private final FairShare<Object> calls;
    private final FairShare<Object> bytes;
    private final FairShare<Object> descriptors;
    private final FairShare<Object> answers;

    @GuardedBy("this")
    private final Map<String, Object> known = new KnownNames();

    /** The names whose user is being asked for. */
    @GuardedBy("this")
    private final Map<String, Asked> asked = new HashMap<>();

    @GuardedBy("this")
    private int waiting;

    /** The calls of a name whose user is being asked for. */
    private static final class Asked {
        final List<Counted> charged = new ArrayList<>();
        final List<Runnable> waiting = new ArrayList<>();
    }

    private static final class KnownNames extends LinkedHashMap<String, Object> {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Object> eldest) {
            return size() > KNOWN_NAMES;
        }
    }

    /**
     * @param userOf asks the bus for the uid behind a unique name, without waiting
     */
    CallsUnderWay(
            ConnectionOptions limits,
            boolean isBus,
            Function<String, CompletableFuture<Long>> userOf) {
        this.isBus = isBus;
        this.userOf = userOf;
        this.calls = share("calls under way", limits.incomingCalls(), "incomingCalls").withLeast(1);
        this.bytes =
                share("bytes of calls under way", limits.incomingBytes(), "incomingBytes")
                        .withOneAlone();
        this.descriptors =
                share(
                        "descriptors of calls under way",
                        limits.incomingDescriptors(),
                        "incomingDescriptors");
        this.answers =
                share("bytes of answers that wait", limits.outgoingBytes(), "outgoingBytes")
                        .withOneAlone();
    }

    private FairShare<Object> share(String what, long limit, String option) {
        FairShare<Object> share = FairShare.of(what, limit, "raise ConnectionOptions." + option);
        if (!isBus) {
            return share.withTrusted(_ -> true);
        }
        long own = Unistd.geteuid();
        return share.withTrusted(user -> user.equals(0L) || user.equals(own));
    }

    /**
     * Counts a call.
     *
     * @param again begins with the call once more when its user is known; run by the thread that
     *     reads, which is also the one that calls this
     * @return null if the call waits for that
     * @throws DBusException LIMITS_EXCEEDED if its user has his share
     */
    synchronized @Nullable Counted begin(Message call, Runnable again) {
        String sender = call.sender();
        Object user = user(sender);
        Asked open = sender == null ? null : asked.get(sender);
        if (open != null && !open.waiting.isEmpty()) {
            wait(open, again, user);
            return null;
        }
        List<Charge<Object>> charges = new ArrayList<>(3);
        try {
            charges.add(charge(calls, user, 1));
            charges.add(charge(bytes, user, call.length()));
            if (!call.descriptors().isEmpty()) {
                charges.add(charge(descriptors, user, call.descriptors().size()));
            }
        } catch (DBusException e) {
            charges.forEach(Charge::close);
            if (open == null) {
                throw e;
            }
            wait(open, again, user);
            return null;
        }
        Counted counted = new Counted(user, charges);
        if (open != null) {
            open.charged.add(counted);
        }
        return counted;
    }

    /** A call that is answered at once by the thread that reads: only its answer counts. */
    synchronized Counted answeredAtOnce(Message call) {
        return new Counted(user(call.sender()), List.of());
    }

    /** Keeps the order of the calls of one name. */
    @GuardedBy("this")
    private void wait(Asked open, Runnable again, Object user) {
        if (waiting >= WAITING || open.waiting.size() >= WAITING_OF_NAME) {
            throw new DBusException(DBusException.LIMITS_EXCEEDED, calls.refusal(user));
        }
        open.waiting.add(again);
        waiting++;
    }

    private static Charge<Object> charge(FairShare<Object> share, Object user, long amount) {
        Charge<Object> charge = share.charge(user, amount);
        if (charge == null) {
            throw new DBusException(DBusException.LIMITS_EXCEEDED, share.refusal(user));
        }
        return charge;
    }

    /** The user of a name, or the name itself while that is not known. */
    @GuardedBy("this")
    private Object user(@Nullable String sender) {
        if (!isBus || sender == null) {
            return SINGLE_PEER;
        }
        Object user = known.get(sender);
        if (user != null) {
            return user;
        }
        if (!asked.containsKey(sender)) {
            asked.put(sender, new Asked());
            var _ = userOf.apply(sender).whenComplete((uid, _) -> answered(sender, uid));
        }
        Object answered = known.get(sender); // at once, where the connection is lost
        return answered == null ? sender : answered;
    }

    /**
     * @param uid null if the bus does not tell: the name has gone, and stays an account of its own
     */
    private void answered(String sender, @Nullable Long uid) {
        List<Runnable> again = List.of();
        synchronized (this) {
            Object user = uid == null ? sender : uid;
            known.put(sender, user);
            Asked open = asked.remove(sender);
            if (open != null) {
                open.charged.forEach(counted -> counted.moveTo(user));
                again = open.waiting;
                waiting -= again.size();
            }
        }
        again.forEach(Runnable::run);
    }

    /** A call that counts until it ends: before its answer is sent, or without one. */
    final class Counted {
        @GuardedBy("CallsUnderWay.this")
        private Object user;

        private final List<Charge<Object>> charges;

        private Counted(Object user, List<Charge<Object>> charges) {
            this.user = user;
            this.charges = charges;
        }

        private void moveTo(Object other) {
            synchronized (CallsUnderWay.this) {
                user = other;
                charges.forEach(charge -> charge.moveTo(other));
            }
        }

        /**
         * Charges the answer to the caller's user; closed when it is sent.
         *
         * @throws DBusException LIMITS_EXCEEDED if its user leaves too much unread
         */
        Charge<Object> answer(int length) {
            synchronized (CallsUnderWay.this) {
                return charge(answers, user, length);
            }
        }

        /** Idempotent. */
        void end() {
            charges.forEach(Charge::close);
        }
    }
}
