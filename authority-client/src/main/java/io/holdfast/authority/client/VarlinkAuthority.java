package io.holdfast.authority.client;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.authority.client.limit.AuthorityClientLimits;
import io.holdfast.core.Fd;
import io.holdfast.varlink.VarlinkAddress;
import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.client.ClientOptions;
import io.holdfast.varlink.client.Reply;
import io.holdfast.varlink.client.ServiceLostException;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * The authority {@code io.holdfast.Authority} over Varlink. A Varlink connection answers calls in
 * order, and a check may wait for a user as long as a dialog is open, so each check has its own
 * connection.
 */
final class VarlinkAuthority extends RemoteAuthority {
    /** The number of checks that may be under way; further ones wait. */
    static final int MAX_CONNECTIONS = AuthorityClientLimits.CONNECTIONS.intValue();

    /** The number of connections that are kept for later checks. */
    static final int MAX_IDLE = 4;

    private final VarlinkAddress address;
    private final Semaphore free = new Semaphore(MAX_CONNECTIONS);

    @GuardedBy("idle")
    private final Deque<VarlinkClient> idle = new ArrayDeque<>();

    @GuardedBy("idle")
    private final Set<VarlinkClient> busy = new HashSet<>();

    @GuardedBy("idle")
    private boolean closed;

    VarlinkAuthority(VarlinkAddress address, Duration timeout) {
        super(timeout);
        this.address = address;
    }

    @Override
    Decision sendCheck(Check check) throws InterruptedException {
        if (!free.tryAcquire(check.timeLeft().toNanos(), TimeUnit.NANOSECONDS)) {
            throw new IllegalStateException(
                    "no answer in time: "
                            + MAX_CONNECTIONS
                            + " earlier checks ("
                            + AuthorityClientLimits.CONNECTIONS.property()
                            + ") are under way");
        }
        try {
            VarlinkClient kept = takeIdle();
            if (kept != null) {
                try {
                    return sendCheck(kept, check);
                } catch (ServiceLostException e) {
                    drop(kept); // the authority was restarted: use a new connection
                    if (e.reason() != ServiceLostException.Reason.CLOSED) {
                        throw e; // the check may have been received, so it is not sent again
                    }
                } catch (RuntimeException e) {
                    drop(kept);
                    throw e;
                }
            }
            VarlinkClient made = connect(check.timeLeft());
            try {
                return sendCheck(made, check);
            } catch (RuntimeException e) {
                drop(made);
                throw e;
            }
        } finally {
            free.release();
        }
    }

    private @org.jspecify.annotations.Nullable VarlinkClient takeIdle() {
        synchronized (idle) {
            if (closed) {
                throw new IllegalStateException("closed");
            }
            VarlinkClient kept = idle.poll();
            if (kept != null) {
                busy.add(kept);
            }
            return kept;
        }
    }

    private VarlinkClient connect(Duration limit) {
        VarlinkClient made =
                VarlinkClient.connect(address, ClientOptions.standard().withCallTimeout(limit));
        synchronized (idle) {
            if (!closed) {
                busy.add(made);
                return made;
            }
        }
        made.close();
        throw new IllegalStateException("closed");
    }

    private void drop(VarlinkClient client) {
        synchronized (idle) {
            busy.remove(client);
        }
        client.close();
    }

    private void release(VarlinkClient client) {
        synchronized (idle) {
            busy.remove(client);
            if (!closed && idle.size() < MAX_IDLE) {
                idle.push(client);
                return;
            }
        }
        client.close();
    }

    private Decision sendCheck(VarlinkClient client, Check check) {
        boolean explained = check.options().contains(Option.EXPLAIN);
        JsonObject.Builder parameters =
                JsonObject.builder()
                        .put("action", check.action())
                        .put("subject", 0)
                        .put("uid", check.uid());
        if (!check.details().isEmpty()) {
            JsonObject.Builder details = JsonObject.builder();
            check.details().forEach(details::put);
            parameters.put("details", details.build());
        }
        if (check.isInteractive()) {
            parameters.put("allowInteractiveAuthentication", true);
        }
        if (check.options().contains(Option.ALWAYS)) {
            parameters.put("always", true);
        }
        if (explained) {
            parameters.put("explain", true);
        }
        List<Fd> descriptors = List.of(check.process().fd());
        Decision decision;
        try (Reply reply =
                client.call(
                        Authority.VARLINK_INTERFACE + ".Check",
                        parameters.build(),
                        check.answerTimeout(),
                        descriptors)) {
            decision = decision(reply.parameters());
        } catch (VarlinkException e) {
            release(client);
            return Decision.refused(
                    e.error()
                            + e.parameters()
                                    .optionalString("reason")
                                    .map(r -> ": " + r)
                                    .orElse(""));
        }
        release(client);
        return decision;
    }

    private static Decision decision(JsonObject reply) {
        Map<String, String> details = new LinkedHashMap<>();
        JsonObject received = reply.object("details");
        received.fields().keySet().forEach(key -> details.put(key, received.string(key)));
        boolean authorized = reply.bool("isAuthorized");
        return new Decision(
                authorized,
                reply.bool("isChallenge") && !authorized,
                details,
                Optional.empty(),
                reply.optionalArray("explanation").map(VarlinkAuthority::explanation));
    }

    private static Explanation explanation(List<Json> steps) {
        List<Explanation.Step> list = new ArrayList<>();
        for (Json each : steps) {
            if (each instanceof JsonObject step) {
                list.add(
                        new Explanation.Step(
                                step.string("topic"),
                                step.string("text"),
                                step.optionalString("place").orElse("")));
            }
        }
        return new Explanation(list);
    }

    @Override
    public void close() {
        synchronized (idle) {
            closed = true;
            idle.forEach(VarlinkClient::close);
            idle.clear();
            busy.forEach(VarlinkClient::close); // so that their checks are refused
        }
    }

    @Override
    public String toString() {
        return Authority.VARLINK_INTERFACE + " at " + address;
    }
}
