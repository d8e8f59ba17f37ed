package io.holdfast.authority.agent;

import io.holdfast.authority.pam.PamException;
import io.holdfast.authority.pam.PamService;
import io.holdfast.authority.pam.PamTransaction;
import io.holdfast.authority.pam.PamUnavailableException;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.address.BusAddressException;
import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Authenticates a user for an agent, which is the process at the other end of a connection: the
 * authority confirms that the agent may use its cookie, PAM prompts, the agent answers, and the
 * helper reports success to the authority, together with the agent's process. Without the first
 * step the helper would let any process try passwords. It runs one dialog, on one platform thread,
 * in a process of its own ({@link HelperProcess}), because PAM modules change their process.
 */
final class AgentHelper {
    /** The result of a dialog, which gives the exit status of the helper. */
    enum Outcome {
        AUTHENTICATED(0),
        /** An error occurred, or the agent has gone. */
        FAILED(1),
        /** PAM has refused the user. */
        REFUSED(2);

        private final int status;

        Outcome(int status) {
            this.status = status;
        }

        int status() {
            return status;
        }
    }

    private final PamService service;
    private final List<BusAddress> bus;
    private final Accounts accounts;
    private final HelperLimits limits;
    private final Consumer<String> notices;
    private final Consumer<String> end;

    /**
     * Makes a helper.
     *
     * @param notices logs a line for each dialog that failed: the user, the agent and the reason
     * @param end ends the process, the only way to end PAM when its result is no longer wanted; it
     *     receives such a line, and is called on another thread
     */
    AgentHelper(
            PamService service,
            List<BusAddress> bus,
            Accounts accounts,
            HelperLimits limits,
            Consumer<String> notices,
            Consumer<String> end) {
        this.service = service;
        this.bus = List.copyOf(bus);
        this.accounts = accounts;
        this.limits = limits;
        this.notices = notices;
        this.end = end;
    }

    /** Serves one connection to its end. The connection remains the caller's. */
    Outcome serve(UnixSocket connection, Peer peer) throws InterruptedException {
        HelperProtocol protocol = new HelperProtocol(new SocketLink(connection), limits);
        Outcome outcome;
        try {
            CallingAgent caller = CallingAgent.of(peer);
            HelperRequest request = protocol.readRequest();
            outcome = authenticate(connection, protocol, caller, request);
        } catch (IOException | ErrnoException e) {
            notices.accept(peer + ": agent refused: " + e.getMessage());
            outcome = Outcome.FAILED;
        }
        try {
            protocol.end(outcome == Outcome.AUTHENTICATED);
        } catch (IOException e) {
            if (outcome == Outcome.AUTHENTICATED) { // otherwise this may be why it failed
                notices.accept("cannot send SUCCESS to the agent: " + e.getMessage());
            }
        }
        return outcome;
    }

    private Outcome authenticate(
            UnixSocket connection,
            HelperProtocol protocol,
            CallingAgent caller,
            HelperRequest request)
            throws InterruptedException {
        try (DialogWatch _ =
                        new DialogWatch(
                                connection,
                                caller.process(),
                                limits.dialog(),
                                why -> end.accept(failed(request, caller, why)));
                AuthorityCalls authority =
                        AuthorityCalls.begin(bus, caller, request.cookie(), uid(request.user()))) {
            authenticate(protocol, request);
            caller.requireAlive();
            authority.respond();
            return Outcome.AUTHENTICATED;
        } catch (PamException e) {
            notices.accept(failed(request, caller, e.getMessage()));
            return e.isRefusal() ? Outcome.REFUSED : Outcome.FAILED;
        } catch (PamUnavailableException
                | IOException
                | ErrnoException
                | BusAddressException
                | DBusException
                | ConnectionLostException
                | Accounts.UnknownAccountException e) {
            notices.accept(failed(request, caller, e.getMessage()));
            return Outcome.FAILED;
        }
    }

    private static String failed(HelperRequest request, CallingAgent caller, @Nullable String why) {
        return "authentication of %s failed, asked for by %s: %s".formatted(request, caller, why);
    }

    private void authenticate(HelperProtocol protocol, HelperRequest request)
            throws PamException, PamUnavailableException, IOException, InterruptedException {
        String user = request.user();
        try (PamTransaction pam = PamTransaction.start(service, user, protocol)) {
            pam.remoteUser(user); // as polkit's own helper does
            pam.authenticate();
            pam.validateAccount();
            String authenticated = pam.user();
            if (!authenticated.equals(user)) {
                throw new IOException("PAM has authenticated \"" + authenticated + "\" instead");
            }
        }
    }

    private long uid(String user) throws Accounts.UnknownAccountException, InterruptedException {
        Accounts.Account account = accounts.user(user);
        if (!account.name().equals(user)) { // such as a number
            throw new Accounts.UnknownAccountException("not the name of a user: " + user);
        }
        return account.uid();
    }
}
