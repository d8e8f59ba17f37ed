package io.holdfast.core.wait;

import io.holdfast.core.Registration;
import io.holdfast.core.Signal;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandleProxies;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

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

    /**
     * For each signal that we handle: our handlers and those of other code that they replaced (of
     * the JVM at first), the newest last; guarded by the class.
     */
    private static final Map<Signal, List<Object>> HANDLERS = new HashMap<>();

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

    /**
     * Runs the task at each signal, on a thread of the JVM, in place of the handler before it. A
     * cancel of the newest handler restores the one before it that is not cancelled, or that of
     * other code or the JVM. A handler that other code has set meanwhile stays.
     */
    public static synchronized Registration handle(Signal signal, Runnable task) {
        MethodHandle run = MethodHandles.dropArguments(RUN.bindTo(task), 0, SIGNAL);
        Object handler = MethodHandleProxies.asInterfaceInstance(HANDLER, run);
        Object before = set(signal, handler);
        List<Object> handlers = HANDLERS.computeIfAbsent(signal, _ -> new ArrayList<>());
        if (handlers.isEmpty() || !handlers.getLast().equals(before)) {
            handlers.add(before); // of other code or the JVM
        }
        handlers.add(handler);
        return () -> cancel(signal, handlers, handler);
    }

    private static synchronized boolean cancel(
            Signal signal, List<Object> handlers, Object handler) {
        boolean newest = handlers.getLast().equals(handler);
        boolean first = handlers.remove(handler);
        if (first && newest) {
            Object current = set(signal, handlers.getLast());
            if (!current.equals(handler)) {
                Object _ = set(signal, current); // of other code
            }
        }
        if (handlers.stream().noneMatch(MethodHandleProxies::isWrapperInstance)) {
            HANDLERS.remove(signal, handlers);
        }
        return first;
    }

    /** Sets the handler of a signal, and returns the one before. */
    private static Object set(Signal signal, Object handler) {
        return call(HANDLE, call(NEW, signal.name()), handler);
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
