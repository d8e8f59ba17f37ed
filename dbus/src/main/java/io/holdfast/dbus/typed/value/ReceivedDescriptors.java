package io.holdfast.dbus.typed.value;

import io.holdfast.core.Fd;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.dbus.wire.Message;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/** The descriptors of a reply or a signal: the receiver gets those that the values mention. */
public final class ReceivedDescriptors implements Descriptors {
    private final Message message;
    private final List<Fd> all;
    private final Set<Fd> mentioned = Collections.newSetFromMap(new IdentityHashMap<>());

    public ReceivedDescriptors(Message message) {
        this.message = message;
        this.all = message.descriptors();
    }

    @Override
    public Fd of(Handle handle) {
        if (handle.index() < 0 || handle.index() >= all.size()) {
            throw new DBusException(
                    DBusException.INCONSISTENT_MESSAGE,
                    "handle %d of %d descriptors".formatted(handle.index(), all.size()));
        }
        Fd descriptor = all.get(handle.index());
        boolean _ = mentioned.add(descriptor);
        return descriptor;
    }

    /** Passes the mentioned descriptors to the receiver, and closes the others. */
    public void release() {
        for (Fd descriptor : message.takeDescriptors()) {
            if (!mentioned.contains(descriptor)) {
                descriptor.close();
            }
        }
    }
}
