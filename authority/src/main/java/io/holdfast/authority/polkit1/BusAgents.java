package io.holdfast.authority.polkit1;

import static java.lang.System.Logger.Level.INFO;

import io.holdfast.authority.AuthorityEngine;
import io.holdfast.authority.AuthorityException;
import io.holdfast.authority.Caller;
import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.survival.AgentAddress;
import io.holdfast.authority.survival.AgentRecord;
import io.holdfast.authority.survival.Recovered;
import io.holdfast.core.ErrnoException;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusNames;
import io.holdfast.dbus.DBusException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionException;

/**
 * The authentication agents of one bus: makes the channels to them, and restores those of the
 * previous authority.
 *
 * <p>An agent is identified by a unique name, an object path and a process. It is restored if the
 * bus is the same, the name still has an owner, and the owner is the process that registered the
 * agent: if the name were enough, another process could ask users for passwords.
 */
final class BusAgents {
    private static final System.Logger LOG = System.getLogger("io.holdfast.authority");

    private final AuthorityEngine engine;
    private final BusConnection bus;
    private final BusPeers peers;
    private final String busId;

    /**
     * Makes the agents of a bus.
     *
     * @throws DBusException if the bus does not return its id
     */
    BusAgents(AuthorityEngine engine, BusConnection bus, BusPeers peers)
            throws InterruptedException {
        this.engine = engine;
        this.bus = bus;
        this.peers = peers;
        this.busId = String.valueOf(bus.bus().call(BusNames.BUS, "GetId").getFirst());
    }

    /** Makes the channel to the agent of a connection; its log lines are charged to the user. */
    BusAgent agent(String uniqueName, String path, long uid) {
        return new BusAgent(
                bus,
                new AgentAddress(busId, uniqueName),
                path,
                line -> engine.logOfAgent(uid, line));
    }

    /** Returns whether a connection has left the bus. */
    boolean isGone(String uniqueName) throws InterruptedException {
        return bus.owner(uniqueName).isEmpty();
    }

    /** Handles that a connection has left the bus before the engine knew it: no signal follows. */
    void forgetIfGone(String uniqueName) throws InterruptedException {
        if (isGone(uniqueName)) {
            engine.disconnected(peers.connection(uniqueName));
        }
    }

    /** Restores the agents that the previous authority has recorded. */
    void restore() throws InterruptedException {
        List<String> restored = new ArrayList<>();
        List<String> dropped = new ArrayList<>();
        for (AgentRecord record : engine.agentsToRestore()) {
            String name = record.address().uniqueName();
            try {
                restore(record);
                restored.add(name);
            } catch (AuthorityException | ErrnoException | IllegalArgumentException e) {
                dropped.add(name + ": " + e.getMessage());
            } catch (CompletionException e) {
                Throwable cause = Objects.requireNonNullElse(e.getCause(), e);
                dropped.add(name + ": " + cause.getMessage());
            }
            engine.forgetRecord(record);
        }
        if (!restored.isEmpty() || !dropped.isEmpty()) {
            LOG.log(
                    INFO,
                    "restored {0} agents of the previous authority ({1}); dropped {2} ({3})",
                    restored.size(),
                    Recovered.shown(restored),
                    dropped.size(),
                    Recovered.shown(dropped));
        }
    }

    private void restore(AgentRecord record) throws InterruptedException {
        if (!record.address().bus().equals(busId)) {
            throw AuthorityException.failed("registered on another bus");
        }
        String name = record.address().uniqueName();
        try (Subject.BusName who = peers.subject(name, bus::peer)) {
            if (who.process()
                    .filter(process -> process.origin().isSafe() && record.isOf(process.pidFd()))
                    .isEmpty()) {
                throw AuthorityException.failed("its bus name belongs to another process");
            }
            Caller caller = new Caller(who.name(), who.uid(), who.process());
            engine.agents()
                    .restore(
                            caller,
                            record.restoreScope(engine.sessions()),
                            record,
                            agent(name, record.path(), who.uid()))
                    .join();
        }
        forgetIfGone(name);
    }
}
