package io.holdfast.dbus.typed.value;

import io.holdfast.dbus.wire.Struct;
import org.jspecify.annotations.Nullable;

/** The type of a record, as a struct. */
public record StructType(RecordShape shape) implements WireType {
    @Override
    public String signature() {
        return "(" + shape.signature() + ")";
    }

    @Override
    public Object toWire(@Nullable Object value) {
        return new Struct(shape.toWire(UnfitException.present(value)));
    }

    @Override
    public Object toJava(Object plain, Descriptors descriptors) {
        return shape.toJava(((Struct) plain).members(), descriptors);
    }

    @Override
    public void discard(@Nullable Object value) {
        shape.discard(value);
    }
}
