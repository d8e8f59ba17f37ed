package io.holdfast.manager.systemd1;

import io.holdfast.core.socket.Peer;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.MethodCall;
import io.holdfast.manager.Permission;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** Lets pass whoever may: each call is judged on a virtual thread of its own. */
final class Guard {
    static final String RELOAD_DAEMON = Names.SERVICE + ".reload-daemon";

    /** For how many calls of one user the authority may be asked at a time. */
    static final int ASKING = Integer.getInteger("io.holdfast.manager.asking", 64);

    /** What is to be done, as the authority is told. */
    record Action(String id, Map<String, String> details) {}

    private final Permission permission;
    private final Map<Long, Integer> asking = new HashMap<>();

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
        enter(peer.uid());
        try {
            if (!permission.isGranted(
                    peer,
                    new Permission.Question(action.id(), action.details(), call.isInteractive()))) {
                throw denied(action);
            }
        } finally {
            leave(peer.uid());
        }
    }

    private void enter(long uid) {
        synchronized (asking) {
            int now = asking.getOrDefault(uid, 0);
            if (now >= ASKING) {
                throw new DBusException(
                        DBusException.LIMITS_EXCEEDED,
                        ASKING
                                + " calls of user "
                                + uid
                                + " wait for the authority already"
                                + " (io.holdfast.manager.asking)");
            }
            asking.put(uid, now + 1);
        }
    }

    private void leave(long uid) {
        synchronized (asking) {
            asking.computeIfPresent(uid, (_, now) -> now == 1 ? null : now - 1);
        }
    }

    private static DBusException denied(Action action) {
        return Errors.denied("Permission denied: " + action.id());
    }
}
