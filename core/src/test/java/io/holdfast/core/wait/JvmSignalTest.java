package io.holdfast.core.wait;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Registration;
import io.holdfast.core.Signal;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Our handlers of a signal beside those that other code sets by {@code sun.misc.Signal}. */
@Timeout(60)
class JvmSignalTest {
    private static final Signal SIGNAL = Signal.of("WINCH");

    private final Object foreign = handler();
    private Object original;

    @BeforeEach
    void remember() throws ReflectiveOperationException {
        original = set(foreign);
        Object _ = set(original);
    }

    @AfterEach
    void restore() throws ReflectiveOperationException {
        Object _ = set(original);
    }

    private static Registration handle() {
        return JvmSignal.handle(SIGNAL, () -> {});
    }

    @Test
    void aForeignHandlerBetweenOursIsRestored() throws Exception {
        Registration first = handle();
        Object replaced = set(foreign);
        Registration second = handle();
        assertThat(second.cancel()).isTrue();
        assertThat(set(replaced)).isSameAs(foreign);
        assertThat(first.cancel()).isTrue();
    }

    @Test
    void aForeignHandlerOutlivesTheHandlersBelowAndAboveIt() throws Exception {
        Registration first = handle();
        Object _ = set(foreign);
        Registration second = handle();
        assertThat(first.cancel()).isTrue();
        assertThat(second.cancel()).isTrue();
        assertThat(set(original)).isSameAs(foreign);
    }

    @Test
    void aForeignHandlerStaysWhenOursIsCancelled() throws Exception {
        Registration ours = handle();
        Object _ = set(foreign);
        assertThat(ours.cancel()).isTrue();
        assertThat(ours.cancel()).isFalse();
        assertThat(set(original)).isSameAs(foreign);
    }

    /** Sets the handler as other code does, and returns the one before. */
    private static Object set(Object handler) throws ReflectiveOperationException {
        Class<?> type = Class.forName("sun.misc.Signal");
        Method handle = type.getMethod("handle", type, Class.forName("sun.misc.SignalHandler"));
        Object signal = type.getConstructor(String.class).newInstance(SIGNAL.name());
        return Objects.requireNonNull(handle.invoke(null, signal, handler));
    }

    @SuppressWarnings("ReferenceEquality") // as Object.equals
    private static Object handler() {
        try {
            Class<?> type = Class.forName("sun.misc.SignalHandler");
            return Proxy.newProxyInstance(
                    type.getClassLoader(),
                    new Class<?>[] {type},
                    (proxy, method, arguments) ->
                            switch (method.getName()) {
                                case "equals" -> proxy == arguments[0];
                                case "hashCode" -> 1;
                                case "toString" -> "a foreign handler";
                                default -> null;
                            });
        } catch (ClassNotFoundException e) {
            throw new AssertionError(e);
        }
    }
}
