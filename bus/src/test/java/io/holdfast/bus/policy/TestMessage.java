package io.holdfast.bus.policy;

import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.marshal.MessageWriter;
import java.lang.foreign.MemorySegment;

/** Messages for tests, as a bus sees them: bytes under a view. */
public final class TestMessage {
    private TestMessage() {}

    public static MessageWriter call(String destination, String interfaceName, String member) {
        return new MessageWriter()
                .methodCall("/", interfaceName.isEmpty() ? null : interfaceName, member)
                .serial(1)
                .destination(destination);
    }

    public static MessageWriter signal(String path, String interfaceName, String member) {
        return new MessageWriter().signal(path, interfaceName, member).serial(1);
    }

    public static MessageWriter reply(String destination) {
        return new MessageWriter().methodReturn(7).serial(1).destination(destination);
    }

    public static MessageWriter error(String destination, String name) {
        return new MessageWriter().error(name, 7).serial(1).destination(destination);
    }

    public static MessageView view(MessageWriter writer) {
        MemorySegment bytes = writer.finish();
        MessageView view = new MessageView();
        view.read(bytes, 0, (int) bytes.byteSize());
        return view;
    }
}
