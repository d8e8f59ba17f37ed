package io.holdfast.dbus;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.limit.Charge;
import io.holdfast.core.limit.FairShare;
import io.holdfast.core.sys.Unistd;
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
 * their bytes and descriptors, and replies until they are sent.
 *
 * <p>On a bus many users share one connection, so each of the four limits is a {@link FairShare}
 * among users, with a reserve for root and our own user. The bus names a caller by its unique name
 * only. So the first calls of a name wait until the bus has reported its user, who is charged from
 * then on, for all the user's connections together. Calls that wait for this are charged to their
 * unique name, in shares of their own, of which every name gets at least {@link #WAITING_BYTES}:
 * neither known callers nor many calls of other new callers can shut out a new caller. A caller
 * that disconnects before its user is known, as a program does that expects no reply, is charged to
 * one account for all such callers: connections that come and go gain no further share. Unique
 * names are never used again, so the user of a name is cached. Without a bus there is one caller,
 * which may use all. Thread-safe.
 */
final class CallsUnderWay {
    /**
     * The number of names whose user is cached; for a name that was dropped, the bus is queried
     * again.
     */
    static final int KNOWN_NAMES = 1024;

    /** The bytes of calls that each name may have waiting until its user is known. */
    static final int WAITING_BYTES = 4 << 10;

    private static final Object SINGLE_PEER = "the peer";
    private static final Object UNIDENTIFIED_CALLERS = "the share of callers without a known uid";
    private static final Object DISCONNECTED_CALLERS = "the share of disconnected callers";

    private final boolean isBus;
    private final Function<String, CompletableFuture<Long>> userOf;
    private final Shares underWay;
    private final FairShare<Object> answers;

    @GuardedBy("this")
    private final Map<String, Object> known = new KnownNames();

    /** The calls that wait, by the unique name whose user is being looked up. */
    @GuardedBy("this")
    private final Map<String, List<Waiting>> waiting = new HashMap<>();

    /** The shares for the calls that wait: among names, since the users are not known yet. */
    private final Shares ofUnidentified;

    /** What calls are charged for, from their beginning to their end. */
    private record Shares(
            FairShare<Object> calls, FairShare<Object> bytes, FairShare<Object> descriptors) {
        List<Charge<Object>> charge(Object caller, Message call) {
            List<Charge<Object>> charges = new ArrayList<>(3);
            try {
                charges.add(CallsUnderWay.charge(calls, caller, 1));
                charges.add(CallsUnderWay.charge(bytes, caller, call.length()));
                if (!call.descriptors().isEmpty()) {
                    int count = call.descriptors().size();
                    charges.add(CallsUnderWay.charge(descriptors, caller, count));
                }
            } catch (DBusException e) {
                charges.forEach(Charge::close);
                throw e;
            }
            return charges;
        }
    }

    private record Waiting(Runnable retry, List<Charge<Object>> charges) {}

    private static final class KnownNames extends LinkedHashMap<String, Object> {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Object> eldest) {
            return size() > KNOWN_NAMES;
        }
    }

    /**
     * @param userOf looks up the uid of a unique name's owner at the bus, without waiting
     */
    CallsUnderWay(
            ConnectionOptions limits,
            boolean isBus,
            Function<String, CompletableFuture<Long>> userOf) {
        this.isBus = isBus;
        this.userOf = userOf;
        this.underWay =
                new Shares(
                        share("calls under way", limits.incomingCalls, "incomingCalls")
                                .withLeast(1),
                        share("bytes of calls under way", limits.incomingBytes, "incomingBytes")
                                .withOneAlone(),
                        share(
                                "descriptors of calls under way",
                                limits.incomingDescriptors,
                                "incomingDescriptors"));
        String waiting = " waiting for the caller's uid";
        this.ofUnidentified =
                new Shares(
                        plain("calls" + waiting, limits.incomingCalls, "incomingCalls")
                                .withLeast(1),
                        plain("bytes of calls" + waiting, limits.incomingBytes, "incomingBytes")
                                .withLeast(WAITING_BYTES)
                                .withOneAlone(),
                        plain(
                                        "descriptors of calls" + waiting,
                                        limits.incomingDescriptors,
                                        "incomingDescriptors")
                                .withLeast(1));
        this.answers =
                share("bytes of replies waiting to be sent", limits.outgoingBytes, "outgoingBytes")
                        .withOneAlone();
    }

    private static FairShare<Object> plain(String what, long limit, String option) {
        return FairShare.of(what, limit, "raise ConnectionOptions." + option);
    }

    private FairShare<Object> share(String what, long limit, String option) {
        FairShare<Object> share = plain(what, limit, option);
        if (!isBus) {
            return share.withTrusted(_ -> true);
        }
        long own = Unistd.geteuid();
        return share.withTrusted(user -> user.equals(0L) || user.equals(own));
    }

    /**
     * Charges a call to its user.
     *
     * @param retry handles the call again when its user is known; run by the reader thread, which
     *     also calls this method
     * @return null if the call waits until its user is known
     * @throws DBusException LIMITS_EXCEEDED if the user's share is used up
     */
    synchronized @Nullable Counted begin(Message call, Runnable retry) {
        String sender = call.sender();
        Object user = user(sender);
        if (user.equals(UNIDENTIFIED_CALLERS)) {
            List<Waiting> calls = requireNonNull(waiting.get(sender));
            calls.add(new Waiting(retry, ofUnidentified.charge(requireNonNull(sender), call)));
            return null;
        }
        return new Counted(user, underWay.charge(user, call));
    }

    /**
     * Returns the account of a call that the reader thread answers at once: only its reply is
     * charged.
     */
    synchronized Counted answeredAtOnce(Message call) {
        return new Counted(user(call.sender()), List.of());
    }

    private static Charge<Object> charge(FairShare<Object> share, Object user, long amount) {
        Charge<Object> charge = share.charge(user, amount);
        if (charge == null) {
            throw new DBusException(DBusException.LIMITS_EXCEEDED, share.refusal(user));
        }
        return charge;
    }

    /** Returns the user of a name; looks it up at the bus if it is not known. */
    @GuardedBy("this")
    private Object user(@Nullable String sender) {
        if (!isBus || sender == null) {
            return SINGLE_PEER;
        }
        if (!known.containsKey(sender) && !waiting.containsKey(sender)) {
            waiting.put(sender, new ArrayList<>());
            // If the connection is lost, this completes at once.
            var _ = userOf.apply(sender).whenComplete((uid, _) -> answered(sender, uid));
        }
        return known.getOrDefault(sender, UNIDENTIFIED_CALLERS);
    }

    /**
     * @param uid null if the bus does not know the name
     */
    private void answered(String sender, @Nullable Long uid) {
        List<Waiting> begun;
        synchronized (this) {
            known.put(sender, uid == null ? DISCONNECTED_CALLERS : uid);
            begun = requireNonNull(waiting.remove(sender));
            begun.forEach(call -> call.charges().forEach(Charge::close));
        }
        begun.forEach(call -> call.retry().run());
    }

    /** A call that is charged until it ends: just before its reply is sent, or without one. */
    final class Counted {
        private final Object user;
        private final List<Charge<Object>> charges;
        private boolean ended;

        private Counted(Object user, List<Charge<Object>> charges) {
            this.user = user;
            this.charges = new ArrayList<>(charges);
        }

        /** {@return the account of the caller's user} */
        Object user() {
            return user;
        }

        /**
         * Charges descriptors that are opened for the call, like those that arrived with it, until
         * it ends.
         *
         * @throws DBusException LIMITS_EXCEEDED if the user's share is used up
         */
        synchronized void opens(int count) {
            if (ended) {
                throw new IllegalStateException("the call is answered");
            }
            if (count > 0) {
                charges.add(charge(underWay.descriptors(), user, count));
            }
        }

        /**
         * Charges the reply to the caller's user; the charge is closed when the reply is sent.
         *
         * @throws DBusException LIMITS_EXCEEDED if the user leaves too many replies unread
         */
        Charge<Object> answer(int length) {
            return charge(answers, user, length);
        }

        /**
         * Checks that a message of a length could be charged like a reply.
         *
         * @throws DBusException LIMITS_EXCEEDED if the user leaves too many replies unread
         */
        void requireRoom(int length) {
            answer(length).close();
        }

        /** Ends the charges of the call. Idempotent. */
        synchronized void end() {
            ended = true;
            charges.forEach(Charge::close);
            charges.clear();
        }
    }
}
