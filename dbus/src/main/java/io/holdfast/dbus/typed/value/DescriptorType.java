package io.holdfast.dbus.typed.value;

import io.holdfast.core.Fd;
import io.holdfast.dbus.wire.Handle;
import org.jspecify.annotations.Nullable;

/** The type of an Fd, which stands for its handle. */
public record DescriptorType() implements WireType {
    @Override
    public String signature() {
        return "h";
    }

    @Override
    public Object toWire(@Nullable Object value) {
        return (Fd) UnfitException.present(value);
    }

    @Override
    public Object toJava(Object plain, Descriptors descriptors) {
        return descriptors.of((Handle) plain);
    }

    @Override
    public void discard(@Nullable Object value) {
        if (value instanceof Fd descriptor) {
            descriptor.close();
        }
    }
}
