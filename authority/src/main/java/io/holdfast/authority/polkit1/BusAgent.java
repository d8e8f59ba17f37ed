package io.holdfast.authority.polkit1;

import io.holdfast.authority.AgentChannel;
import io.holdfast.authority.subject.Identity;
import io.holdfast.authority.survival.AgentAddress;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.wire.Struct;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/** An agent on a bus: calls its {@code org.freedesktop.PolicyKit1.AuthenticationAgent}. */
final class BusAgent implements AgentChannel {
    /** A user may take any time to answer; a cancelled dialog ends the call. */
    private static final Duration NO_LIMIT = Duration.ofDays(365);

    private final RemoteObject object;
    private final AgentAddress address;
    private final Consumer<String> complaints;

    /**
     * Makes the channel to an agent.
     *
     * @param address on that bus
     * @param complaints logs a line for each dialog that fails; the agent can cause any number
     */
    BusAgent(BusConnection bus, AgentAddress address, String path, Consumer<String> complaints) {
        this.complaints = complaints;
        this.address = address;
        object = bus.object(address.uniqueName(), path).withoutStart().withTimeout(NO_LIMIT);
    }

    @Override
    public Optional<AgentAddress> address() {
        return Optional.of(address);
    }

    @Override
    public CompletableFuture<End> begin(Request request) {
        CompletableFuture<End> end = new CompletableFuture<>();
        var _ =
                Thread.ofVirtual()
                        .name("dialog of " + object.destination())
                        .start(() -> end.complete(beginAuthentication(request)));
        return end;
    }

    private End beginAuthentication(Request request) {
        List<Struct> identities = new ArrayList<>();
        for (Identity.User user : request.identities()) {
            identities.add(PolicyKitMethods.identity(user));
        }
        try {
            object.call(
                    PolicyKit1.AGENT_INTERFACE,
                    "BeginAuthentication",
                    "sssa{ss}sa(sa{sv})",
                    request.action(),
                    request.message(),
                    request.iconName(),
                    request.details(),
                    request.cookie(),
                    identities);
            return End.COMPLETED;
        } catch (DBusException e) {
            if (e.name().equals(PolicyKit1.CANCELLED)) {
                return End.DISMISSED;
            }
            complaints.accept("the agent " + object + " could not authenticate: " + e.getMessage());
            return End.FAILED;
        } catch (ConnectionLostException | IllegalArgumentException e) {
            return End.FAILED;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return End.FAILED;
        }
    }

    @Override
    public void cancel(String cookie) {
        var _ =
                Thread.ofVirtual()
                        .name("cancels a dialog of " + object.destination())
                        .start(() -> sendCancel(cookie));
    }

    private void sendCancel(String cookie) {
        try {
            object.callWithoutReply(
                    PolicyKit1.AGENT_INTERFACE, "CancelAuthentication", "s", cookie);
        } catch (ConnectionLostException e) {
            // the dialog has ended with the connection
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
