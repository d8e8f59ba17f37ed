package io.holdfast.cli.command;

import io.holdfast.authority.agent.AgentOptions;
import io.holdfast.authority.agent.AgentSubject;
import io.holdfast.authority.agent.AuthenticationAgent;
import io.holdfast.authority.agent.HelperAddress;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.address.BusAddressException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An authentication agent for this process alone, on its terminal, for the time of a request that
 * may require the user to authenticate. If it is registered already, or cannot be, the request is
 * made without it.
 */
public final class TerminalAgent implements AutoCloseable {
    private final List<AutoCloseable> parts = new ArrayList<>();

    private TerminalAgent() {}

    /**
     * Registers an agent.
     *
     * @param buses the addresses of the authority's bus
     * @return null if this process is not in the foreground of a terminal, or the authority cannot
     *     be reached or refuses the agent
     */
    public static @Nullable TerminalAgent ofThisProcess(List<BusAddress> buses)
            throws InterruptedException {
        if (!Terminal.isForeground()) {
            return null;
        }
        TerminalAgent made = new TerminalAgent();
        boolean registered = false;
        try {
            made.register(buses);
            registered = true;
            return made;
        } catch (ErrnoException | BusAddressException | ConnectionLostException | DBusException e) {
            return null;
        } finally {
            if (!registered) {
                made.close();
            }
        }
    }

    private void register(List<BusAddress> buses) throws InterruptedException {
        TerminalFace face = add(TerminalFace.open());
        Thread restoring =
                new Thread(face::close); // at the end by Ctrl-C in the middle of a prompt
        Runtime.getRuntime().addShutdownHook(restoring);
        PidFd self = add(PidFd.self());
        BusConnection bus = add(BusConnection.connect(buses, ConnectionOptions.standard()));
        AuthenticationAgent _ =
                add(
                        AuthenticationAgent.register(
                                bus,
                                new AgentSubject.OneProcess(self),
                                options(buses, System.getenv()),
                                face));
    }

    private <T extends AutoCloseable> T add(T part) {
        parts.add(part);
        return part;
    }

    /**
     * Returns the options of an agent on this terminal.
     *
     * @param buses the addresses of the authority's bus: its helper's socket is beside it, or else
     *     at a known place
     * @param environment with the variables of the locale
     */
    public static AgentOptions options(List<BusAddress> buses, Map<String, String> environment) {
        List<HelperAddress> helpers = new ArrayList<>();
        buses.forEach(bus -> HelperAddress.beside(bus).ifPresent(helpers::add));
        helpers.addAll(HelperAddress.KNOWN);
        return AgentOptions.standard().withLocale(locale(environment)).withHelpers(helpers);
    }

    /** Returns the locale of messages, chosen as setlocale(3) does. */
    private static String locale(Map<String, String> environment) {
        for (String name : List.of("LC_ALL", "LC_MESSAGES", "LANG")) {
            String value = environment.getOrDefault(name, "");
            if (!value.isEmpty()) {
                return value;
            }
        }
        return "C";
    }

    @Override
    public void close() {
        for (AutoCloseable part : parts.reversed()) {
            try {
                part.close();
            } catch (Exception e) {
                // the process ends soon, and the authority notices that
            }
        }
    }
}
