package io.holdfast.dbus.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Fd;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.typed.DBusName;
import io.holdfast.dbus.typed.Export;
import io.holdfast.dbus.typed.Outputs;
import io.holdfast.dbus.typed.Proxy;
import io.holdfast.dbus.typed.Wire;
import io.holdfast.dbus.wire.Variant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** Typed results with descriptors that one of the two sides refuses. */
public abstract class GivingOnBus extends OnBus {
    @Test
    void noDescriptorIsLeftOfAResultThatIsRefused() throws Exception {
        Fd[] pipe = Unistd.pipe2(0);
        try (Fd in = pipe[0];
                Fd out = pipe[1];
                Export giving =
                        Export.of(service(), "/giving", Giving.class, new Giving.Careless())) {
            RemoteObject object = client().object(service().uniqueName(), giving.path());
            Giving proxy = Proxy.of(object, Giving.class);
            Taking taking = Proxy.of(object, Taking.class);
            OpenDescriptors before = OpenDescriptors.now();
            assertThatExceptionOfType(DBusException.class)
                    .isThrownBy(() -> proxy.open(in, "no path"))
                    .withMessageContaining("Giving.open: the result, component path is");
            assertThatExceptionOfType(DBusException.class)
                    .isThrownBy(() -> proxy.list(in))
                    .withMessageContaining("Giving.list: the result, element 1 is null");
            assertThatExceptionOfType(CompletionException.class)
                    .isThrownBy(() -> proxy.map(in).toCompletableFuture().join())
                    .withMessageContaining("which does not determine a D-Bus type");
            assertThatExceptionOfType(DBusException.class)
                    .isThrownBy(() -> proxy.struct(in))
                    .withMessageContaining("Giving.struct: the result, component name is null");
            assertThatExceptionOfType(DBusException.class)
                    .as("the reply is of another type")
                    .isThrownBy(() -> taking.open(in, "/a"))
                    .withMessageContaining(DBusException.INCONSISTENT_MESSAGE);
            assertThatExceptionOfType(CompletionException.class)
                    .as("the reply has another number than the Java type holds")
                    .isThrownBy(() -> taking.later(in).toCompletableFuture().join())
                    .withMessageContaining(DBusException.INCONSISTENT_MESSAGE);
            assertThat(out.isOpen()).isTrue();
            before.awaitSameNumber();
        }
    }

    /** An interface whose methods return descriptors. */
    @DBusName("org.example.Giving")
    public interface Giving {
        Opened open(Fd given, String path);

        List<Fd> list(Fd given);

        CompletionStage<Map<String, Object>> map(Fd given);

        Named struct(Fd given);

        CompletionStage<Counted> later(Fd given);

        /** Two outputs. */
        record Opened(Fd descriptor, @Wire("o") String path) implements Outputs {}

        /** A struct. */
        record Named(Fd descriptor, String name) {}

        /** A struct with a number. */
        record Counted(Fd descriptor, @Wire("u") long count) {}

        /** An implementation whose results often cannot be sent. */
        @SuppressWarnings("NullAway") // as a careless implementation does
        final class Careless implements Giving {
            @Override
            public Opened open(Fd given, String path) {
                return new Opened(given.duplicate(), path);
            }

            @Override
            public List<Fd> list(Fd given) {
                return Arrays.asList(given.duplicate(), null, given.duplicate());
            }

            @Override
            public CompletionStage<Map<String, Object>> map(Fd given) {
                return CompletableFuture.completedFuture(
                        Map.of(
                                "a", given.duplicate(),
                                "b", Variant.of("ah", List.of(given.duplicate())),
                                "c", new Object()));
            }

            @Override
            public Named struct(Fd given) {
                return new Named(given.duplicate(), null);
            }

            @Override
            public CompletionStage<Counted> later(Fd given) {
                return CompletableFuture.completedFuture(
                        new Counted(given.duplicate(), 0xffff_ffffL));
            }
        }
    }

    /** The interface as the other side declares it. */
    @DBusName("org.example.Giving")
    public interface Taking {
        Fd open(Fd given, String path);

        CompletionStage<Small> later(Fd given);

        /** A struct with a smaller number. */
        record Small(Fd descriptor, @Wire("u") int count) {}
    }
}
