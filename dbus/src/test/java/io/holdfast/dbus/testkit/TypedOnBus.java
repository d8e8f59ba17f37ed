package io.holdfast.dbus.testkit;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.holdfast.core.Fd;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.Subscription;
import io.holdfast.dbus.generate.InterfaceGenerator;
import io.holdfast.dbus.generate.IntrospectionReader;
import io.holdfast.dbus.generate.SourceFile;
import io.holdfast.dbus.testkit.Workshop.All;
import io.holdfast.dbus.testkit.Workshop.Division;
import io.holdfast.dbus.testkit.Workshop.Given;
import io.holdfast.dbus.testkit.Workshop.Halt;
import io.holdfast.dbus.testkit.Workshop.Point;
import io.holdfast.dbus.testkit.Workshop.Tick;
import io.holdfast.dbus.typed.CallInterruptedException;
import io.holdfast.dbus.typed.DBusName;
import io.holdfast.dbus.typed.Export;
import io.holdfast.dbus.typed.Property;
import io.holdfast.dbus.typed.Proxy;
import io.holdfast.dbus.typed.Signals;
import io.holdfast.dbus.typed.Wire;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Proxies, exports and signals through plain Java interfaces. */
public abstract class TypedOnBus extends OnBus {
    private static final String WORKSHOP = "org.example.Workshop";
    private static final BigInteger MOST = BigInteger.TWO.pow(64).subtract(BigInteger.ONE);

    private final Worker worker = new Worker();
    private @Nullable Export opened;
    private @Nullable Workshop made;

    @BeforeEach
    final void exportWorkshop() {
        opened = Export.of(service(), PATH, Workshop.class, worker);
        made = Proxy.of(remote(), Workshop.class);
    }

    private Export exported() {
        return requireNonNull(opened);
    }

    private Workshop proxy() {
        return requireNonNull(made);
    }

    @AfterEach
    final void withdrawWorkshop() {
        worker.waiting.countDown();
        if (opened != null) {
            opened.close();
        }
    }

    @Test
    void methodsTakeAndReturnPlainValuesAndRecords() {
        assertThat(proxy().add(Integer.MAX_VALUE, 1)).isEqualTo(1L << 31);
        assertThat(proxy().twice(21)).isEqualTo(42);
        assertThat(proxy().divide(17, 5)).isEqualTo(new Division(3, 2));
        assertThat(proxy().move(new Point(1.5, 65535, "ä"), 2))
                .isEqualTo(new Point(3.5, 65535, "ä"));
        assertThat(proxy().path("/a/b")).isEqualTo("/a/b");
        assertThat(proxy().caller()).isEqualTo(client().uniqueName());
        assertThat(proxy()).hasToString(WORKSHOP + " of " + remote());
        assertThat(proxy()).isEqualTo(proxy()).isNotEqualTo(Proxy.of(remote(), Workshop.class));
    }

    @Test
    void everyTypeComesBackAsItWas() {
        All all =
                new All(
                        true,
                        (byte) 200,
                        Short.MIN_VALUE,
                        Integer.MIN_VALUE,
                        Long.MIN_VALUE,
                        -0.0,
                        "text",
                        new ObjectPath("/a"),
                        Signature.of("a{sv}"),
                        new byte[] {1, -1},
                        255,
                        -32768,
                        65535,
                        Integer.MAX_VALUE,
                        0xffff_ffffL,
                        BigInteger.valueOf(Long.MIN_VALUE),
                        MOST,
                        List.of(new Point(0, 0, "")),
                        Map.of(7, List.of(BigInteger.ZERO, MOST)),
                        List.of(new byte[0], new byte[] {5}),
                        Map.of("v", Variant.of("(iav)", Struct.of(1, List.of(Variant.of("x"))))));
        assertThat(proxy().echo(all)).usingRecursiveComparison().isEqualTo(all);
    }

    @Test
    void anObjectIsAVariantOfWhatItIs() throws Exception {
        for (Object value :
                List.of(
                        true,
                        (byte) 1,
                        (short) 2,
                        3,
                        4L,
                        5.0,
                        "six",
                        new ObjectPath("/seven"),
                        Signature.of("ii"))) {
            assertThat(proxy().any(value)).isEqualTo(value);
        }
        assertThat(proxy().any(Variant.of("v", Variant.of("in it")))).isEqualTo("in it");
        assertThatExceptionOfType(DBusException.class) // the result does not carry its type
                .isThrownBy(() -> proxy().any(Variant.of("as", List.of("a"))))
                .withMessageContaining("Workshop.any: the result is of class")
                .withMessageContaining("pass a Variant");
    }

    @Test
    void numbersAreCheckedAgainstBothRangesAndNamed() throws Exception {
        assertThat(proxy().unsigned(0xffff_ffffL)).isEqualTo(0xffff_ffffL);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> proxy().unsigned(1L << 32))
                .withMessage(
                        "Workshop.unsigned: argument 1 (arg0) is 4294967296, and the type u has 0"
                                + " to 4294967295");
        assertThatIllegalArgumentException().isThrownBy(() -> proxy().unsigned(-1));
        assertThatExceptionOfType(DBusException.class) // the implementation returns -1
                .isThrownBy(() -> proxy().unsigned(1))
                .withMessageContaining("Workshop.unsigned: the result is -1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> proxy().move(new Point(0, 65536, ""), 0))
                .withMessageContaining("argument 1 (arg0), component weight is 65536");
        remote().call(WORKSHOP, "Unsigned2", "u", 7);
        assertThat(proxy().narrow(7)).isEqualTo(7);
    }

    @Test
    void whatAJavaTypeHasNoPlaceForIsRefusedByBothSides() throws Exception {
        try (Export wide = Export.of(service(), "/wide", Wide.class, new Wide.Max())) {
            assertThat(wide.path()).isEqualTo("/wide");
            RemoteObject object = client().object(service().uniqueName(), "/wide");
            Narrow narrow = Proxy.of(object, Narrow.class);
            assertThatExceptionOfType(DBusException.class)
                    .isThrownBy(narrow::most)
                    .withMessage(
                            DBusException.INCONSISTENT_MESSAGE
                                    + ": Narrow.most: the result is 18446744073709551615, and its"
                                    + " Java type has -9223372036854775808 to 9223372036854775807");
            assertThatExceptionOfType(DBusException.class)
                    .isThrownBy(() -> narrow.take(0xffff_ffffL))
                    .withMessage(
                            DBusException.INVALID_ARGS
                                    + ": Wide.take: argument 1 (arg0) is 4294967295, and its Java"
                                    + " type has -2147483648 to 2147483647");
            assertThatExceptionOfType(DBusException.class)
                    .isThrownBy(narrow::text)
                    .withMessageContaining("Narrow.text: the reply is of \"t\", and not \"s\"");
            assertThatExceptionOfType(DBusException.class)
                    .isThrownBy(narrow::size)
                    .withMessageContaining("Narrow.size: it is [Variant");
        }
    }

    /** The interface as one side declares it. */
    @DBusName("org.example.Wide")
    public interface Wide {
        @Wire("t")
        BigInteger most();

        void take(@Wire("u") int number);

        @DBusName("Text")
        @Wire("t")
        BigInteger other();

        @Property
        int size();

        /** An implementation with the largest values. */
        final class Max implements Wide {
            @Override
            public BigInteger most() {
                return MOST;
            }

            @Override
            public void take(int number) {
                throw new AssertionError("not to be called");
            }

            @Override
            public BigInteger other() {
                return MOST;
            }

            @Override
            public int size() {
                return 1;
            }
        }
    }

    /** The interface as the other side declares it. */
    @DBusName("org.example.Wide")
    public interface Narrow {
        @Wire("t")
        long most();

        void take(@Wire("u") long number);

        String text();

        @Property
        String size();
    }

    @Test
    @SuppressWarnings("NullAway") // nulls are what is tested
    void nullsAreRefusedByNameBeforeAnythingIsSent() {
        assertThatNullPointerException()
                .isThrownBy(() -> proxy().path(null))
                .withMessage("Workshop.path: argument 1 (arg0) is null");
        assertThatNullPointerException()
                .isThrownBy(() -> proxy().names(Arrays.asList("a", null)))
                .withMessage("Workshop.names: argument 1 (arg0), element 1 is null");
        assertThatNullPointerException()
                .isThrownBy(() -> proxy().move(null, 1))
                .withMessage("Workshop.move: argument 1 (arg0) is null");
        assertThatNullPointerException()
                .isThrownBy(() -> proxy().zone(null))
                .withMessage("Workshop.zone: the value is null");
        Map<String, Variant> variants = new HashMap<>();
        variants.put("key", null);
        All all = all(variants);
        assertThatNullPointerException()
                .isThrownBy(() -> proxy().echo(all))
                .withMessage(
                        "Workshop.echo: argument 1 (arg0), component variants, the value of key is"
                                + " null");
        assertThatNullPointerException()
                .isThrownBy(() -> proxy().later(null))
                .withMessage("Workshop.later: argument 1 (arg0) is null");
        assertThatNullPointerException()
                .isThrownBy(() -> exported().emit(new Tick(1, 2, Collections.singletonList(null))))
                .withMessage("Workshop.Tick: component points, element 0 is null");
        assertThat(worker.poked).isEmpty();
    }

    private static All all(Map<String, Variant> variants) {
        return new All(
                true,
                (byte) 0,
                (short) 0,
                0,
                0,
                0,
                "",
                new ObjectPath("/"),
                Signature.EMPTY,
                new byte[0],
                0,
                0,
                0,
                0,
                0,
                BigInteger.ZERO,
                BigInteger.ZERO,
                List.of(),
                Map.of(),
                List.of(),
                variants);
    }

    @Test
    void textsThatDBusCannotCarryAreRefusedByName() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> proxy().names(List.of("a\0b")))
                .withMessage("Workshop.names: argument 1 (arg0), element 0 has a NUL at 1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> proxy().names(List.of("\ud800")))
                .withMessageContaining("half a pair of surrogates at 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> proxy().path("no path"))
                .withMessageContaining("argument 1 (arg0) is not an object path");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> proxy().variant(Variant.of("i", "text")))
                .withMessageStartingWith("Workshop.variant: ");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> proxy().any(List.of()))
                .withMessageContaining("pass a Variant");
    }

    @Test
    void anImplementationsErrorsAreTheCallers() {
        assertThatExceptionOfType(DBusException.class)
                .isThrownBy(() -> proxy().fail("named"))
                .withMessage("org.example.Error.Mine: so it is");
        assertThatExceptionOfType(DBusException.class)
                .isThrownBy(() -> proxy().fail("lines"))
                .withMessage(DBusException.FAILED + ": the disk is gone");
        assertThatExceptionOfType(DBusException.class)
                .isThrownBy(() -> proxy().fail("nothing said"))
                .withMessage(
                        DBusException.FAILED
                                + ": internal error of the service, which it has logged");
        assertThatExceptionOfType(DBusException.class)
                .isThrownBy(() -> proxy().names(List.of()))
                .withMessage(DBusException.FAILED + ": Workshop.names: the result is null");
        assertThatExceptionOfType(DBusException.class)
                .isThrownBy(() ->
                        remote().call(
                                        WORKSHOP,
                                        "Move",
                                        "(dqs)d",
                                        Struct.of(0.0, 1, "refused"),
                                        1.0))
                .withMessageContaining("argument 1 (arg0) is refused by Point")
                .withMessageContaining("not this label");
    }

    @Test
    void stagesDoNotWait() throws Exception {
        CompletableFuture<String> first = proxy().later("one").toCompletableFuture();
        CompletableFuture<String> second = proxy().later("two").toCompletableFuture();
        assertThat(proxy().add(1, 2)).isEqualTo(3); // while both calls are under way
        assertThat(worker.poked.take()).isEqualTo("one");
        assertThat(worker.poked.take()).isEqualTo("two");
        assertThat(first).isNotDone();
        worker.later.complete("word");
        assertThat(first.get()).isEqualTo("word one");
        assertThat(second.get()).isEqualTo("word two");
        assertThat(proxy().laterNothing().get()).isNull();
    }

    @Test
    void stagesFailAsCallsDo() throws Exception {
        CompletableFuture<String> failing = proxy().later("x").toCompletableFuture();
        worker.later.completeExceptionally(new DBusException("org.example.Error.Late", "so it is"));
        assertThatExceptionOfType(CompletionException.class)
                .isThrownBy(failing::join)
                .withCauseInstanceOf(DBusException.class)
                .withMessageContaining("org.example.Error.Late: so it is");
        Workshop hasty = Proxy.of(remote().withTimeout(Duration.ofMillis(10)), Workshop.class);
        CompletableFuture<Void> blocked =
                CompletableFuture.runAsync(() -> proxy().waitQuietly(), Thread::startVirtualThread);
        assertThatExceptionOfType(DBusException.class)
                .isThrownBy(hasty::waitQuietly)
                .satisfies(e -> assertThat(e.name()).isEqualTo(DBusException.TIMEOUT));
        worker.waiting.countDown();
        blocked.join();
        client().close();
        assertThatExceptionOfType(CompletionException.class)
                .isThrownBy(() -> proxy().later("y").toCompletableFuture().join())
                .withCauseInstanceOf(ConnectionLostException.class);
    }

    @Test
    void aStageThatTakesTooLongFailsByTimeoutAndOneThatIsCancelledIsForgotten() throws Exception {
        Workshop hasty = Proxy.of(remote().withTimeout(Duration.ofMillis(10)), Workshop.class);
        assertThatExceptionOfType(CompletionException.class)
                .isThrownBy(() -> hasty.later("x").toCompletableFuture().join())
                .withMessageContaining(DBusException.TIMEOUT);
        OpenDescriptors before = OpenDescriptors.now();
        Fd[] pipe = Unistd.pipe2(0);
        try (Fd in = pipe[0];
                Fd out = pipe[1]) {
            CompletableFuture<List<Fd>> cancelled =
                    proxy().openLater(List.of(in, out)).toCompletableFuture();
            assertThat(cancelled.cancel(false)).isTrue();
            worker.later.complete("");
            assertThat(proxy().add(1, 1)).isEqualTo(2);
        }
        before.awaitSameNumber();
    }

    @Test
    void anInterruptEndsACallOfEitherKind() throws Exception {
        AtomicBoolean flag = new AtomicBoolean();
        LinkedBlockingQueue<Exception> thrown = new LinkedBlockingQueue<>();
        Thread declared =
                Thread.startVirtualThread(() -> {
                    try {
                        proxy().waitForever();
                    } catch (Exception e) {
                        thrown.add(e);
                    }
                });
        declared.interrupt();
        assertThat(thrown.take()).isInstanceOf(InterruptedException.class);
        Thread quiet =
                Thread.startVirtualThread(() -> {
                    try {
                        proxy().waitQuietly();
                    } catch (CallInterruptedException e) {
                        flag.set(Thread.currentThread().isInterrupted());
                        thrown.add(e);
                    }
                });
        quiet.interrupt();
        assertThat(thrown.take()).hasMessage("Workshop.waitQuietly: interrupted");
        assertThat(flag).isTrue();
    }

    @Test
    void aMethodWithoutReplyIsCalledAndNotWaitedFor() throws Exception {
        proxy().poke("a");
        assertThat(worker.poked.take()).isEqualTo("a");
    }

    @Test
    void aMethodWithoutReplyIsIntrospectedAndGeneratedAsOne() throws Exception {
        String xml =
                (String)
                        remote().call("org.freedesktop.DBus.Introspectable", "Introspect")
                                .getFirst();
        List<String> generated =
                InterfaceGenerator.generate(
                                IntrospectionReader.read(
                                        "XML", xml.getBytes(StandardCharsets.UTF_8)))
                        .stream()
                        .map(SourceFile::text)
                        .filter(text -> text.contains("interface Workshop"))
                        .toList();
        assertThat(generated).hasSize(1);
        assertThat(generated.getFirst())
                .containsOnlyOnce("@NoReply")
                .containsPattern("@NoReply\\s+void poke\\(");
    }

    @Test
    void descriptorsPassBothWaysAndNoneIsLeft() throws Exception {
        OpenDescriptors before = OpenDescriptors.now();
        Fd[] pipe = Unistd.pipe2(0);
        try (Fd in = pipe[0];
                Fd out = pipe[1];
                Fd back = proxy().open(in)) {
            assertThat(SysStat.inode(back)).isEqualTo(SysStat.inode(in));
            assertThat(in.isOpen()).isTrue();
            worker.later.complete("");
            List<Fd> both = proxy().openLater(List.of(in, out)).toCompletableFuture().get();
            assertThat(both).hasSize(2);
            both.forEach(Fd::close);
            try (Fd any = (Fd) proxy().any(in)) {
                assertThat(SysStat.inode(any)).isEqualTo(SysStat.inode(in));
            }
            try (Signals<Given> given = Signals.of(remote(), Given.class)) {
                exported().emit(new Given(out));
                try (Fd received = given.take().descriptor()) {
                    assertThat(SysStat.inode(received)).isEqualTo(SysStat.inode(out));
                }
                assertThat(out.isOpen()).isTrue();
            }
        }
        before.awaitSameNumber();
    }

    @Test
    void propertiesAreReadAndSetAndToldOf() throws Exception {
        assertThat(proxy().zone()).isEqualTo("UTC");
        assertThat(proxy().limit()).isEqualTo(0xffff_ffffL);
        assertThat(proxy().points()).containsExactly(Map.entry("origin", new Point(0, 0, "")));
        assertThat(proxy().version()).isEqualTo("1");
        try (Subscription changes =
                client().subscribe("interface='org.freedesktop.DBus.Properties'")) {
            proxy().limit(7);
            assertThat(worker.limit).isEqualTo(7);
            try (Message change = changes.take()) {
                assertThat(change.values())
                        .containsExactly(WORKSHOP, Map.of("Limit", Variant.of("u", 7L)), List.of());
            }
            exported().changed(Workshop.class, "Zone", "Points", "Version");
            try (Message change = changes.take()) {
                assertThat(change.values())
                        .containsExactly(
                                WORKSHOP, Map.of("Zone", Variant.of("UTC")), List.of("Points"));
            }
        }
        assertThatExceptionOfType(DBusException.class)
                .isThrownBy(() -> proxy().zone("Nowhere"))
                .withMessage(DBusException.INVALID_ARGS + ": no such zone: Nowhere");
        assertThatIllegalArgumentException().isThrownBy(() -> proxy().limit(-1));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> exported().changed(Workshop.class, "No"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> exported().changed(Wide.class, "Zone"));
    }

    @Test
    void signalsArriveAsRecords() throws Exception {
        Tick tick = new Tick(5, 0xffff_ffffL, List.of(new Point(1, 2, "three")));
        LinkedBlockingQueue<Tick> handled = new LinkedBlockingQueue<>();
        try (Signals<Tick> ticks = Signals.of(remote(), Tick.class);
                Signals<Halt> halts = Signals.of(remote(), Halt.class);
                Signals<Tick> handling = Signals.of(remote(), Tick.class, handled::add)) {
            exported().emit(tick);
            exported().emit(new Halt());
            assertThat(ticks.take()).isEqualTo(tick);
            assertThat(halts.take()).isEqualTo(new Halt());
            assertThat(handled.take()).isEqualTo(tick);
            assertThat(ticks.poll(Duration.ofMillis(1))).isEmpty();
            assertThat(handling.lost() + ticks.lost()).isZero();
            service().offerSignal("", PATH, WORKSHOP, "Tick", "s", "no tick");
            assertThatExceptionOfType(DBusException.class)
                    .isThrownBy(ticks::take)
                    .withMessageContaining(
                            "Workshop.Tick: its signature is \"s\", and not \"xua(dqs)\"");
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> exported().emit(new Tick(1, -1, List.of())))
                .withMessageContaining("Workshop.Tick: component count is -1");
    }

    @Test
    void anObjectMayHaveSeveralInterfacesAndNoneIsLeftIfOneFails() throws Exception {
        try (Export both =
                Export.at("/both")
                        .add(Workshop.class, worker)
                        .add(Wide.class, new Wide.Max())
                        .concurrent()
                        .on(service())) {
            RemoteObject object = client().object(service().uniqueName(), both.path());
            assertThat(Proxy.of(object, Workshop.class).add(1, 1)).isEqualTo(2);
            assertThat(Proxy.of(object, Wide.class).most()).isEqualTo(MOST);
        }
        assertError(
                DBusException.UNKNOWN_OBJECT,
                () -> client().object(service().uniqueName(), "/both").call(WORKSHOP, "Add"));
        worker.zone = null;
        assertThatNullPointerException()
                .isThrownBy(() -> Export.of(service(), "/bad", Workshop.class, worker))
                .withMessage("Workshop.zone: the value is null");
        worker.zone = "UTC";
        assertError(
                DBusException.UNKNOWN_OBJECT,
                () -> client().object(service().uniqueName(), "/bad").call(WORKSHOP, "Caller"));
        Export.of(service(), "/bad", Workshop.class, worker).close();
        assertThatIllegalStateException()
                .isThrownBy(() -> Export.of(service(), PATH, Workshop.class, worker));
        assertThatIllegalStateException().isThrownBy(Export::currentCall);
    }

    @Test
    void introspectionHasAllOfTheInterface() throws Exception {
        String xml =
                (String)
                        remote().call("org.freedesktop.DBus.Introspectable", "Introspect")
                                .getFirst();
        assertThat(xml)
                .contains("<interface name=\"org.example.Workshop\">")
                .contains(
                        """
                          <method name="Divide">
                           <arg name="arg0" type="i" direction="in"/>
                           <arg name="arg1" type="i" direction="in"/>
                           <arg name="quotient" type="i" direction="out"/>
                           <arg name="rest" type="i" direction="out"/>
                          </method>
                        """)
                .contains("<arg name=\"count\" type=\"u\"/>")
                .contains("<signal name=\"Stopped\">")
                .contains("<property name=\"Zone\" type=\"s\" access=\"readwrite\"/>")
                .contains("<property name=\"Points\" type=\"a{s(dqs)}\" access=\"read\">")
                .doesNotContain("Twice");
    }

    // With the tools of other implementations

    private static String output(List<String> command) throws Exception {
        try (Child child = Spawn.of(command).stdout(Stdio.pipe()).stderr(Stdio.merged()).start()) {
            String output = new String(child.stdout().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(child.await()).as(output).isEqualTo(new Exit.Exited(0));
            return output.strip();
        }
    }

    private String busctl(String verb, String... arguments) throws Exception {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "busctl",
                                "--address=" + bus().address(),
                                verb,
                                service().uniqueName(),
                                PATH,
                                WORKSHOP));
        command.addAll(Arrays.asList(arguments));
        return output(command);
    }

    @Test
    @Needs(programs = "busctl")
    void busctlCallsReadsSetsAndIntrospects() throws Exception {
        assertThat(busctl("call", "Divide", "ii", "17", "5")).isEqualTo("ii 3 2");
        assertThat(busctl("call", "Move", "(dqs)d", "1", "65535", "a", "0.5"))
                .isEqualTo("(dqs) 1.5 65535 \"a\"");
        worker.later.complete("word");
        assertThat(busctl("call", "Later", "s", "one")).isEqualTo("s \"word one\"");
        assertThat(busctl("set-property", "Limit", "u", "4294967295")).isEmpty();
        assertThat(busctl("get-property", "Limit")).isEqualTo("u 4294967295");
        assertThat(busctl("introspect"))
                .containsPattern("\\.Divide +method +ii +ii ")
                .containsPattern("\\.Zone +property +s +\"UTC\" +emits-change writable")
                .containsPattern("\\.Version +property +s +\"1\" +const")
                .containsPattern("\\.Tick +signal +xua\\(dqs\\) ");
    }

    @Test
    @Needs(programs = "gdbus")
    void gdbusCallsAndIntrospects() throws Exception {
        List<String> object =
                List.of(
                        "--address",
                        bus().address(),
                        "--dest",
                        service().uniqueName(),
                        "--object-path",
                        PATH);
        List<String> call = new ArrayList<>(List.of("gdbus", "call"));
        call.addAll(object);
        call.addAll(List.of("--method", WORKSHOP + ".Unsigned", "4294967295"));
        assertThat(output(call)).isEqualTo("(uint32 4294967295,)");
        List<String> introspect = new ArrayList<>(List.of("gdbus", "introspect"));
        introspect.addAll(object);
        assertThat(output(introspect))
                .contains("interface " + WORKSHOP)
                .contains("Divide(in  i arg0,")
                .contains("readwrite u Limit = 4294967295");
    }
}
