package io.holdfast.dbus.typed;

import io.holdfast.dbus.typed.value.Descriptors;
import io.holdfast.dbus.typed.value.RecordShape;
import io.holdfast.dbus.typed.value.UnfitException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The result of a method: nothing, one value, or several. Immutable. */
sealed interface Result {
    /** The D-Bus types of the result. */
    String signature();

    /** The names of the outputs in introspection data. */
    List<String> names();

    /**
     * Converts the return value of an implementation to plain values.
     *
     * @throws UnfitException if the value is null, or does not fit its type
     */
    List<Object> toWire(@Nullable Object value);

    /** Closes the descriptors in an implementation's return value that was refused. */
    void discard(@Nullable Object value);

    /**
     * Converts the plain values of a reply, which are of {@link #signature()}, to the return value
     * of a proxy.
     *
     * @throws UnfitException if a value does not fit its Java type
     */
    @Nullable Object toJava(List<Object> plain, Descriptors descriptors);

    /** No value. */
    record None() implements Result {
        @Override
        public String signature() {
            return "";
        }

        @Override
        public List<String> names() {
            return List.of();
        }

        @Override
        public List<Object> toWire(@Nullable Object value) {
            return List.of();
        }

        @Override
        public void discard(@Nullable Object value) {}

        @Override
        public @Nullable Object toJava(List<Object> plain, Descriptors descriptors) {
            return null;
        }
    }

    /** One value. */
    record One(Slot slot) implements Result {
        @Override
        public String signature() {
            return slot.type().signature();
        }

        @Override
        public List<String> names() {
            return List.of(slot.name());
        }

        @Override
        public List<Object> toWire(@Nullable Object value) {
            return List.of(slot.toWire(value));
        }

        @Override
        public void discard(@Nullable Object value) {
            slot.type().discard(value);
        }

        @Override
        public Object toJava(List<Object> plain, Descriptors descriptors) {
            return slot.toJava(plain.getFirst(), descriptors);
        }
    }

    /** Several values, as a record. */
    record Several(RecordShape shape) implements Result {
        private static final String PLACE = "the result";

        @Override
        public String signature() {
            return shape.signature();
        }

        @Override
        public List<String> names() {
            return shape.names();
        }

        @Override
        public List<Object> toWire(@Nullable Object value) {
            try {
                return shape.toWire(UnfitException.present(value));
            } catch (UnfitException e) {
                throw e.in(PLACE);
            }
        }

        @Override
        public void discard(@Nullable Object value) {
            shape.discard(value);
        }

        @Override
        public Object toJava(List<Object> plain, Descriptors descriptors) {
            try {
                return shape.toJava(plain, descriptors);
            } catch (UnfitException e) {
                throw e.in(PLACE);
            }
        }
    }
}
