package io.holdfast.dbus;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Registration;
import io.holdfast.core.limit.Throttle;
import io.holdfast.dbus.CallsUnderWay.Counted;
import io.holdfast.dbus.marshal.Syntax;
import io.holdfast.dbus.stream.Outgoing;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageFlags;
import io.holdfast.dbus.wire.Signature;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The exported objects of one connection by path, and the calls of their methods. The reader thread
 * finds the method of each call, answers calls that need no handler, and begins asynchronous
 * handlers; the other handlers run on other threads.
 */
final class ExportedObjects {
    private static final Logger LOG = System.getLogger(ExportedObjects.class.getName());

    /** The log of failed calls: a caller can cause them without limit. */
    private static final Throttle FAILURES =
            Throttle.of(3, Duration.ofSeconds(10), 64, line -> LOG.log(Level.WARNING, line));

    private static final Signature STRING = Signature.of("s");
    private static final String NO_VALUES = "the handler returned null, and not a list of values";

    private final BusConnection connection;
    private final Link link;
    private final ManagedObjects objects;
    private final ConcurrentNavigableMap<String, Tree> trees = new ConcurrentSkipListMap<>();
    private final CallsUnderWay underWay;
    private final UserTurns turns = new UserTurns();
    private final Executor onReader;

    /** Objects that are looked up at each call. */
    private record Tree(String path, Executor executor, ObjectTree objects, CallOrder order) {
        boolean covers(String some) {
            return path.equals("/") || some.equals(path) || some.startsWith(path + "/");
        }
    }

    /**
     * @param isBus whether the calls are those of several users, who take turns
     */
    ExportedObjects(BusConnection connection, Link link, CallsUnderWay underWay, boolean isBus) {
        this.connection = connection;
        this.link = link;
        this.onReader = isBus ? link::later : Runnable::run;
        this.objects = new ManagedObjects(link);
        this.underWay = underWay;
    }

    ExportedObject add(String path, List<BusInterface> interfaces, @Nullable Executor executor) {
        requirePath(path);
        ExportedObject object = object(path, interfaces, executor, StandardInterfaces.OF_OBJECTS);
        objects.add(object);
        return object;
    }

    Registration addTree(String path, Executor executor, ObjectTree objects) {
        requirePath(path);
        Tree tree = new Tree(path, executor, objects, new CallOrder());
        if (trees.putIfAbsent(path, tree) != null) {
            throw new IllegalStateException("there is a tree at " + path + " already");
        }
        return () -> trees.remove(path, tree);
    }

    private static void requirePath(String path) {
        requireNonNull(path, "path");
        if (!Syntax.isObjectPath(path)) {
            throw new IllegalArgumentException("not an object path: \"" + path + "\"");
        }
    }

    private ExportedObject object(
            String path,
            List<BusInterface> interfaces,
            @Nullable Executor executor,
            List<String> standard) {
        Map<String, BusInterface> byName = new LinkedHashMap<>();
        for (BusInterface described : interfaces) {
            requireNonNull(described, "interfaces");
            if (standard.contains(described.name())
                    || byName.putIfAbsent(described.name(), described) != null) {
                throw new IllegalArgumentException(path + " has " + described.name() + " already");
            }
        }
        return new ExportedObject(connection, objects, path, byName, executor, standard);
    }

    /** Returns the next elements of the paths of the objects below a path, for introspection. */
    private List<String> nodesBelow(String path, Collection<String> ofTree) {
        List<String> all = new ArrayList<>(ofTree);
        all.addAll(objects.below(path).keySet());
        all.addAll(trees.keySet());
        String start = path.equals("/") ? "/" : path + "/";
        int prefix = start.length();
        TreeSet<String> nodes = new TreeSet<>();
        for (String found : all) {
            if (!found.startsWith(start) || found.equals(start)) {
                continue;
            }
            int slash = found.indexOf('/', prefix);
            nodes.add(slash < 0 ? found.substring(prefix) : found.substring(prefix, slash));
        }
        return List.copyOf(nodes);
    }

    /** Handles a call, owned. Called by the reader thread, which must not wait. */
    void call(Message message) {
        String path = String.valueOf(message.path());
        ExportedObject object = objects.get(path);
        Tree tree = object == null ? treeOf(path) : null;
        if (tree != null) {
            lookUp(tree, path, message);
            return;
        }
        CallTarget target;
        @Nullable Counted counted;
        try {
            target = target(message, object, () -> nodesBelow(path, List.of()));
            checked(message, target);
            counted =
                    target.where() == CallTarget.Where.HERE
                            ? underWay.answeredAtOnce(message)
                            : underWay.begin(message, () -> call(message));
        } catch (DBusException e) {
            message.close();
            refuse(message, e, link::offer);
            return;
        }
        if (counted == null) {
            return; // called again when the user is known
        }
        switch (target.where()) {
            case HERE -> handle(message, target, counted, offering(message, counted));
            case ASYNC ->
                    turns.execute(
                            onReader,
                            counted.user(),
                            () -> handle(message, target, counted, offering(message, counted)),
                            e -> reject(message, counted, e));
            case IN_ORDER -> {
                Executor executor = target.object().executor();
                if (executor == null) {
                    target.object()
                            .runInOrder(() ->
                                    handle(message, target, counted, sending(message, counted)));
                } else {
                    turns.execute(
                            executor,
                            counted.user(),
                            () -> handle(message, target, counted, offering(message, counted)),
                            e -> reject(message, counted, e));
                }
            }
            case CONCURRENTLY ->
                    turns.execute(
                            onReader,
                            counted.user(),
                            () -> handleOnThread(message, target, counted),
                            e -> reject(message, counted, e));
        }
    }

    private void handleOnThread(Message message, CallTarget target, Counted counted) {
        var _ =
                Thread.ofVirtual()
                        .name("D-Bus call " + message.member())
                        .start(() -> handle(message, target, counted, sending(message, counted)));
    }

    /** Refuses a call, owned. */
    void refuse(Message message, DBusException why) {
        message.close();
        refuse(message, why, link::offer);
    }

    private static void checked(Message message, CallTarget target) {
        if (!message.signature().equals(target.in())) {
            throw new DBusException(
                    DBusException.INVALID_ARGS,
                    "%s takes \"%s\" and not \"%s\""
                            .formatted(message.member(), target.in(), message.signature()));
        }
    }

    /** Refuses a call that an executor has rejected, and ends its charges. */
    private void reject(Message message, Counted counted, RejectedExecutionException e) {
        counted.end();
        message.close();
        refuse(message, rejected(e), link::offer);
    }

    private static DBusException rejected(RejectedExecutionException e) {
        return new DBusException(DBusException.LIMITS_EXCEEDED, String.valueOf(e.getMessage()));
    }

    // Trees

    /** Returns the innermost tree that covers a path. */
    private @Nullable Tree treeOf(String path) {
        for (Tree tree : trees.descendingMap().values()) {
            if (tree.covers(path)) {
                return tree;
            }
        }
        return null;
    }

    /** Looks the object up in the tree, on the tree's executor, and continues there. */
    private void lookUp(Tree tree, String path, Message message) {
        @Nullable Counted counted;
        try {
            counted = underWay.begin(message, () -> call(message));
        } catch (DBusException e) {
            message.close();
            refuse(message, e, link::offer);
            return;
        }
        if (counted == null) {
            return; // called again when the user is known
        }
        CallOrder.Turn turn = tree.order.next(connection.senderOf(message));
        turns.execute(
                tree.executor,
                counted.user(),
                () -> turn.ready(() -> found(tree, path, message, counted)),
                e -> {
                    reject(message, counted, e);
                    turn.ready(() -> CompletableFuture.completedStage(null));
                });
    }

    private CompletionStage<?> found(Tree tree, String path, Message message, Counted counted) {
        CompletionStage<List<BusInterface>> found;
        try {
            found =
                    path.equals(tree.path)
                            ? CompletableFuture.completedStage(List.of())
                            : requireNonNull(
                                    tree.objects.interfaces(path, connection.senderOf(message)),
                                    "no stage");
        } catch (RuntimeException | LinkageError | StackOverflowError | AssertionError e) {
            found = CompletableFuture.failedStage(e);
        }
        return found.whenComplete(
                (interfaces, failure) -> found(tree, path, message, counted, interfaces, failure));
    }

    private void found(
            Tree tree,
            String path,
            Message message,
            Counted counted,
            @Nullable List<BusInterface> interfaces,
            @Nullable Throwable failure) {
        CallTarget target;
        try {
            if (interfaces == null) {
                throw failure == null ? unknownObject(path) : refusal(message, failure);
            }
            ExportedObject object =
                    interfaces.isEmpty()
                            ? null
                            : object(
                                    path,
                                    interfaces,
                                    Runnable::run, // on the tree's executor
                                    StandardInterfaces.OF_TREES);
            target = target(message, object, () -> nodesBelow(path, tree.objects.paths()));
            checked(message, target);
        } catch (RuntimeException | LinkageError | StackOverflowError | AssertionError e) {
            message.close();
            counted.end();
            refuse(message, refusal(message, e), link::offer);
            return;
        }
        handle(message, target, counted, offering(message, counted));
    }

    // Finding the method

    private CallTarget target(
            Message message, @Nullable ExportedObject object, Supplier<List<String>> nodes) {
        String path = String.valueOf(message.path());
        String interfaceName = message.interfaceName();
        String member = String.valueOf(message.member());
        if (interfaceName == null) {
            return anyInterface(object, path, member, nodes);
        }
        CallTarget standard = standard(object, path, interfaceName, member, nodes);
        if (standard != null) {
            return standard;
        }
        if (object == null) {
            throw unknownObject(path);
        }
        BusInterface described = object.interfaces().get(interfaceName);
        if (described == null && !object.standard().contains(interfaceName)) {
            throw new DBusException(
                    DBusException.UNKNOWN_INTERFACE, path + " has no interface " + interfaceName);
        }
        BusInterface.Method method = described == null ? null : described.methods().get(member);
        if (described == null || method == null) {
            throw new DBusException(
                    DBusException.UNKNOWN_METHOD, interfaceName + " has no method " + member);
        }
        return CallTarget.of(object, described, method);
    }

    private static DBusException unknownObject(String path) {
        return new DBusException(DBusException.UNKNOWN_OBJECT, "there is no object " + path);
    }

    /** Returns the first interface's method of this name. */
    private CallTarget anyInterface(
            @Nullable ExportedObject object,
            String path,
            String member,
            Supplier<List<String>> nodes) {
        if (object != null) {
            for (BusInterface described : object.interfaces().values()) {
                BusInterface.Method method = described.methods().get(member);
                if (method != null) {
                    return CallTarget.of(object, described, method);
                }
            }
        }
        for (String interfaceName : StandardInterfaces.OF_OBJECTS) {
            CallTarget standard = standard(object, path, interfaceName, member, nodes);
            if (standard != null) {
                return standard;
            }
        }
        throw object == null
                ? unknownObject(path)
                : new DBusException(
                        DBusException.UNKNOWN_METHOD, path + " has no method " + member);
    }

    private @Nullable CallTarget standard(
            @Nullable ExportedObject object,
            String path,
            String interfaceName,
            String member,
            Supplier<List<String>> nodes) {
        if (!standard(object).contains(interfaceName)) {
            return null;
        }
        return switch (interfaceName) {
            case StandardInterfaces.PEER ->
                    switch (member) {
                        case "Ping" -> CallTarget.here("", _ -> List.of());
                        case "GetMachineId" -> CallTarget.async("s", StandardInterfaces::machineId);
                        default -> null;
                    };
            case StandardInterfaces.INTROSPECTABLE ->
                    member.equals("Introspect") ? introspect(object, path, nodes.get()) : null;
            case StandardInterfaces.PROPERTIES -> PropertyCalls.of(requireNonNull(object), member);
            case StandardInterfaces.OBJECT_MANAGER ->
                    member.equals("GetManagedObjects")
                            ? CallTarget.of(
                                    requireNonNull(object),
                                    "",
                                    "a{oa{sa{sv}}}",
                                    new BusInterface.Async(
                                            (_, reply) -> objects.values(path, reply)))
                            : null;
            default -> null;
        };
    }

    private static List<String> standard(@Nullable ExportedObject object) {
        return object == null ? StandardInterfaces.OF_PATHS : object.standard();
    }

    private @Nullable CallTarget introspect(
            @Nullable ExportedObject object, String path, List<String> nodes) {
        if (object == null && nodes.isEmpty() && !path.equals("/") && !trees.containsKey(path)) {
            return null;
        }
        List<BusInterface> interfaces =
                object == null ? List.of() : List.copyOf(object.interfaces().values());
        return CallTarget.here(
                "s", _ -> List.of(StandardInterfaces.xml(interfaces, standard(object), nodes)));
    }

    // Running handlers and sending replies

    /** Sends a message. */
    private interface Sender {
        void send(IntFunction<Outgoing> message) throws InterruptedException;
    }

    /**
     * How a call is answered. Its charges end before its caller can receive the reply, so that the
     * caller's next call is not counted beside it.
     *
     * @param replies sends a reply, and charges the caller for it
     * @param errors sends an error without a charge, since errors are short
     */
    private record Answering(Sender replies, Sender errors) {}

    /** Waits for room to send; the call is charged until then. */
    private Answering sending(Message call, Counted counted) {
        return new Answering(
                reply -> link.send(reply, counted, why -> refuseDescriptors(call, why)),
                error -> link.send(error, counted::end));
    }

    private Answering offering(Message call, Counted counted) {
        return new Answering(
                reply -> link.offer(reply, counted, why -> refuseDescriptors(call, why)),
                error -> {
                    counted.end();
                    link.offer(error);
                });
    }

    /** Refuses a call whose reply waited until the kernel refused its descriptors. */
    private void refuseDescriptors(Message call, ErrnoException why) {
        refuse(call, Link.descriptorsRefused(why), link::offer);
    }

    private void handle(Message message, CallTarget target, Counted counted, Answering how) {
        switch (target.handling()) {
            case BusInterface.Sync(MethodHandler handler) ->
                    run(message, target, handler, counted, how);
            case BusInterface.Async(AsyncMethodHandler handler) ->
                    begin(message, target, handler, counted);
        }
    }

    /** Runs the handler of a call, and sends the reply. */
    private void run(
            Message message,
            CallTarget target,
            MethodHandler handler,
            Counted counted,
            Answering how) {
        MethodCall call = null;
        try {
            call = new MethodCall(connection, message, counted, target.executor());
            List<?> values = requireNonNull(handler.handle(call), NO_VALUES);
            answer(message, target, values, how.replies());
        } catch (ConnectionLostException e) {
            if (link.isOpen()) { // the handler lost another connection
                refuse(message, failed(e), how.errors());
            }
        } catch (Exception | LinkageError | StackOverflowError | AssertionError e) {
            refuse(message, refusal(message, e), how.errors());
        } finally {
            if (call != null) {
                call.close();
            }
            counted.end(); // if no reply was sent
        }
    }

    /** Begins an asynchronous handler, and sends the reply when it is complete. */
    private void begin(
            Message message, CallTarget target, AsyncMethodHandler handler, Counted counted) {
        MethodCall call;
        try {
            call = new MethodCall(connection, message, counted, target.executor());
        } catch (RuntimeException | Error e) { // such as OutOfMemoryError
            counted.end();
            message.close();
            throw e;
        }
        Answering how = offering(message, counted);
        CompletableFuture<List<?>> reply = new CompletableFuture<>();
        var _ =
                reply.whenComplete((values, failure) -> {
                    try {
                        if (values == null) {
                            throw failure == null
                                    ? new IllegalStateException("no values, and no reason")
                                    : failure;
                        }
                        answer(message, target, values, how.replies());
                    } catch (Throwable e) {
                        refuse(message, refusal(message, e), how.errors());
                    } finally {
                        counted.end();
                        call.close();
                    }
                });
        try {
            handler.begin(call, reply);
        } catch (RejectedExecutionException e) {
            reply.completeExceptionally(rejected(e));
        } catch (RuntimeException | LinkageError | StackOverflowError | AssertionError e) {
            reply.completeExceptionally(e);
        }
    }

    /** Returns the error reply for a failure; logs a failure that is no DBusException. */
    private static DBusException refusal(Message message, Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null
                        ? failure.getCause()
                        : failure;
        if (cause instanceof DBusException expected) {
            return expected;
        }
        StringWriter trace = new StringWriter();
        cause.printStackTrace(new PrintWriter(trace));
        FAILURES.log(
                String.valueOf(message.sender()), "D-Bus call " + message + " failed: " + trace);
        return failed(cause);
    }

    private static DBusException failed(Throwable e) {
        String text = e.getMessage() == null || isOfJvm(e) ? "" : e.getMessage().strip();
        return new DBusException(
                DBusException.FAILED,
                text.isEmpty()
                        ? "internal error of the service, which it has logged"
                        : text.lines().findFirst().orElseThrow());
    }

    /** Returns whether the JVM made its text, which says nothing to a caller. */
    private static boolean isOfJvm(Throwable e) {
        return e instanceof VirtualMachineError
                || (e instanceof NullPointerException
                        && String.valueOf(e.getMessage()).startsWith("Cannot "))
                || e instanceof ClassCastException
                || e instanceof IndexOutOfBoundsException;
    }

    private void answer(Message message, CallTarget target, List<?> values, Sender sender)
            throws InterruptedException {
        try {
            if (!message.hasFlag(MessageFlags.NO_REPLY_EXPECTED)) {
                sender.send(Outgoing.reply(message, null, target.out(), values));
            }
        } finally {
            Outgoing.descriptorsOf(values).forEach(Fd::close);
        }
    }

    /** Makes a text of any origin valid for a message. */
    private static String carried(String text) {
        // replaces unpaired surrogates
        return new String(text.replace('\0', '?').getBytes(UTF_8), UTF_8);
    }

    private void refuse(Message message, DBusException error, Sender sender) {
        if (message.hasFlag(MessageFlags.NO_REPLY_EXPECTED)) {
            return;
        }
        try {
            sender.send(
                    Outgoing.reply(message, error.name(), STRING, List.of(carried(error.text()))));
        } catch (ConnectionLostException e) {
            // the caller is gone
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
