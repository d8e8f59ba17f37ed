package io.holdfast.core.wait;

import io.holdfast.core.Registration;
import io.holdfast.core.Signal;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandleProxies;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Handles signals by {@code sun.misc.Signal}, the only way in a JVM: signalfd(2) would need the
 * signal blocked in the JVM's own threads. The class is called through method handles, because
 * javac warns of every mention of it, no lint category switches that warning off, and warnings are
 * errors here.
 */
public final class JvmSignal {
    private static final Class<?> SIGNAL = find("sun.misc.Signal");
    private static final Class<?> HANDLER = find("sun.misc.SignalHandler");
    private static final MethodHandle NEW;
    private static final MethodHandle HANDLE;
    private static final MethodHandle RUN;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            NEW = lookup.findConstructor(SIGNAL, MethodType.methodType(void.class, String.class));
            HANDLE =
                    lookup.findStatic(
                            SIGNAL, "handle", MethodType.methodType(HANDLER, SIGNAL, HANDLER));
            RUN = lookup.findVirtual(Runnable.class, "run", MethodType.methodType(void.class));
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private JvmSignal() {}

    private static Class<?> find(String name) {
        try {
            return Class.forName(name);
        } catch (ClassNotFoundException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Runs the task at each signal, on a thread of the JVM. A cancel restores the old handler. */
    public static Registration handle(Signal signal, Runnable task) {
        MethodHandle run = MethodHandles.dropArguments(RUN.bindTo(task), 0, SIGNAL);
        Object ours = call(NEW, signal.name());
        Object before = call(HANDLE, ours, MethodHandleProxies.asInterfaceInstance(HANDLER, run));
        AtomicBoolean cancelled = new AtomicBoolean();
        return () -> {
            boolean first = !cancelled.getAndSet(true);
            if (first) {
                Object _ = call(HANDLE, ours, before);
            }
            return first;
        };
    }

    private static Object call(MethodHandle handle, Object... arguments) {
        try {
            return handle.invokeWithArguments(arguments);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
