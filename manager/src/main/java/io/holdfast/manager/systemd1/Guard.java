package io.holdfast.manager.systemd1;

import io.holdfast.core.socket.Peer;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.MethodCall;
import io.holdfast.manager.access.Permission;
import io.holdfast.manager.systemd1.property.Errors;
import io.holdfast.manager.systemd1.property.Names;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;

/** Lets pass whoever may: each call is judged on a virtual thread of its own. */
final class Guard {
    static final String RELOAD_DAEMON = Names.SERVICE + ".reload-daemon";

    /** What is to be done, as the authority is told. */
    record Action(String id, Map<String, String> details) {}

    private final Permission permission;

    Guard(Permission permission) {
        this.permission = permission;
    }

    /**
     * Goes on if the caller may; else the reply is AccessDenied.
     *
     * @param then called on some thread; must not wait
     */
    void permitted(
            MethodCall call, Action action, CompletableFuture<List<?>> reply, Runnable then) {
        var _ =
                Thread.ofVirtual()
                        .name("D-Bus permission " + action.id())
                        .start(() -> {
                            try {
                                judge(call, action);
                                then.run();
                            } catch (InterruptedException e) {
                                reply.completeExceptionally(denied(action));
                            } catch (RuntimeException e) {
                                reply.completeExceptionally(e);
                            }
                        });
    }

    private void judge(MethodCall call, Action action) throws InterruptedException {
        Peer peer;
        try {
            peer = call.peer();
        } catch (DBusException | ConnectionLostException e) {
            throw denied(action); // the caller is gone: nothing can be decided about it
        }
        if (Permission.isOwner(peer)) {
            return;
        }
        try {
            if (!permission.isGranted(
                    peer,
                    new Permission.Question(action.id(), action.details(), call.isInteractive()))) {
                throw denied(action);
            }
        } catch (RejectedExecutionException e) {
            throw new DBusException(DBusException.LIMITS_EXCEEDED, String.valueOf(e.getMessage()));
        }
    }

    private static DBusException denied(Action action) {
        return Errors.denied("Permission denied: " + action.id());
    }
}
