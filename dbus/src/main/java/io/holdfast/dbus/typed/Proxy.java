package io.holdfast.dbus.typed;

import static java.util.Objects.requireNonNull;

import io.holdfast.dbus.RemoteObject;

/**
 * Proxies: remote objects as Java interfaces.
 *
 * <pre>{@code
 * RemoteObject object = connection.object("com.example.Calc", "/com/example/Calc");
 * Calculator calculator = Proxy.of(object, Calculator.class);
 * long sum = calculator.add(1, 2);
 * calculator.unit("EUR");
 * }</pre>
 *
 * <p>{@linkplain io.holdfast.dbus.typed The package} describes which interfaces are allowed. The
 * methods of a proxy wait for the reply, as those of {@link RemoteObject} do, and throw
 *
 * <ul>
 *   <li>{@link io.holdfast.dbus.DBusException} if the reply is an error, does not come in time
 *       ({@link RemoteObject#withTimeout}), or does not fit the interface (INCONSISTENT_MESSAGE);
 *   <li>{@link io.holdfast.dbus.ConnectionLostException} if the connection is or gets lost;
 *   <li>NullPointerException for a null anywhere in an argument, and IllegalArgumentException for a
 *       value outside the range of its D-Bus type: nothing is sent then;
 *   <li>InterruptedException if the method declares it, else {@link CallInterruptedException}.
 * </ul>
 *
 * A method that returns a stage throws only the last two kinds; the other failures fail the stage.
 * The stage completes on a virtual thread, and cancelling it ends the wait.
 *
 * <p>A proxy is safe for use by any thread, holds nothing that must be closed, and does not check
 * that the object exists. Two proxies of one object are not equal.
 */
public final class Proxy {
    private Proxy() {}

    /**
     * Makes a proxy.
     *
     * @param <T> the interface
     * @param object the object to call, with its time limit and flags
     * @param type the interface, public and in a package that this module can see
     * @return the proxy
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the interface is no valid D-Bus interface: names
     *     interface, method, parameter and reason
     */
    public static <T> T of(RemoteObject object, Class<T> type) {
        requireNonNull(object, "object");
        requireNonNull(type, "type");
        TypedInterface described = TypedInterface.of(type);
        return type.cast(
                java.lang.reflect.Proxy.newProxyInstance(
                        type.getClassLoader(),
                        new Class<?>[] {type},
                        new RemoteHandler(object, described)));
    }
}
