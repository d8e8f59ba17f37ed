package io.holdfast.dbus.testkit;

import io.holdfast.core.Fd;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.typed.DBusName;
import io.holdfast.dbus.typed.DBusSignal;
import io.holdfast.dbus.typed.NoReply;
import io.holdfast.dbus.typed.Outputs;
import io.holdfast.dbus.typed.Property;
import io.holdfast.dbus.typed.Wire;
import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.Variant;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** An interface with everything that a typed interface can have. */
@DBusName("org.example.Workshop")
public interface Workshop {
    long add(int a, int b);

    Division divide(int dividend, int divisor);

    Point move(Point point, double by);

    All echo(All all);

    Object any(Object value);

    Variant variant(Variant value);

    @Wire("u")
    long unsigned(@Wire("u") long value);

    /** Like unsigned, but for a value that its Java type cannot hold. */
    @DBusName("Unsigned2")
    @Wire("u")
    int narrow(@Wire("u") long value);

    @Wire("o")
    String path(@Wire("o") String path);

    List<String> names(List<String> names);

    CompletionStage<String> later(String word);

    CompletableFuture<Void> laterNothing();

    void fail(String how) throws Exception;

    void waitForever() throws InterruptedException;

    void waitQuietly();

    @NoReply
    void poke(String name);

    String caller();

    Fd open(Fd given);

    CompletionStage<List<Fd>> openLater(List<Fd> given);

    @Property
    String zone();

    @Property
    void zone(String zone);

    @Property
    @Wire("u")
    long limit();

    @Property
    void limit(@Wire("u") long limit);

    @Property(BusInterface.Change.INVALIDATED)
    Map<String, Point> points();

    @Property(BusInterface.Change.CONSTANT)
    String version();

    /** A default method, which is no D-Bus method. */
    default long twice(int a) {
        return add(a, a);
    }

    /** Several outputs. */
    record Division(int quotient, int rest) implements Outputs {}

    /** A struct. */
    record Point(double x, @Wire("q") int weight, String label) {
        public Point {
            if (label.equals("refused")) {
                throw new IllegalArgumentException("not this label");
            }
        }
    }

    /** A value of each type. */
    @SuppressWarnings("ArrayRecordComponent") // as in D-Bus bodies
    record All(
            boolean flag,
            byte octet,
            short small,
            int number,
            long large,
            double real,
            String text,
            ObjectPath path,
            Signature signature,
            byte[] bytes,
            @Wire("y") int y,
            @Wire("n") long n,
            @Wire("q") int q,
            @Wire("i") long i,
            @Wire("u") long u,
            @Wire("x") BigInteger x,
            @Wire("t") BigInteger t,
            List<Point> points,
            Map<Integer, List<@Wire("t") BigInteger>> numbers,
            List<byte[]> blocks,
            Map<String, Variant> variants) {}

    /** A signal. */
    record Tick(long seconds, @Wire("u") long count, List<Point> points) implements DBusSignal {}

    /** A signal without arguments, of another name. */
    @DBusName("Stopped")
    record Halt() implements DBusSignal {}

    /** A signal with a descriptor. */
    record Given(Fd descriptor) implements DBusSignal {}
}
