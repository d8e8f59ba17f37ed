package io.holdfast.interop.hostility;

import static io.holdfast.interop.stack.StackStage.RUNTIME;

import io.holdfast.interop.hostility.DBusFace.Question;
import io.holdfast.varlink.json.JsonObject;
import java.util.List;
import java.util.stream.Stream;

/** The rows of the matrix: every entry point of a daemon. */
final class Faces {
    private static final Question GET_UNIT =
            new Question(
                    "/org/freedesktop/systemd1",
                    "org.freedesktop.systemd1.Manager",
                    "GetUnit",
                    List.of("dbus.service"));

    /** The faces whose innocent callers must be answered, whichever face is attacked. */
    static final List<EntryPoint> SHARED =
            List.of(
                    DBusFace.onBus(
                            "bus itself",
                            Daemon.BUS,
                            "org.freedesktop.DBus",
                            new Question(
                                    "/org/freedesktop/DBus",
                                    "org.freedesktop.DBus",
                                    "GetId",
                                    List.of())),
                    DBusFace.onBus(
                            "manager on D-Bus",
                            Daemon.MANAGER,
                            "org.freedesktop.systemd1",
                            GET_UNIT),
                    new VarlinkFace(
                            "manager on Varlink",
                            Daemon.MANAGER,
                            RUNTIME + "/io.holdfast.Manager",
                            "io.holdfast.Manager.Status",
                            JsonObject.of("name", "dbus.service")),
                    DBusFace.onBus(
                            "authority on D-Bus",
                            Daemon.AUTHORITY,
                            "org.freedesktop.PolicyKit1",
                            new Question(
                                    "/org/freedesktop/PolicyKit1/Authority",
                                    "org.freedesktop.PolicyKit1.Authority",
                                    "EnumerateActions",
                                    List.of("C"))),
                    new VarlinkFace(
                            "authority on Varlink",
                            Daemon.AUTHORITY,
                            RUNTIME + "/io.holdfast.Authority",
                            "io.holdfast.Authority.Check",
                            JsonObject.of("action", "org.freedesktop.systemd1.manage-units")));

    static final List<EntryPoint> ALL =
            Stream.concat(
                            SHARED.stream(),
                            Stream.of(
                                    DBusFace.ofRoot(
                                            "private socket of the manager",
                                            Daemon.MANAGER,
                                            RUNTIME + "/systemd/private",
                                            GET_UNIT),
                                    new NotifyFace(),
                                    new MetricsFace(Daemon.BUS, "dbus"),
                                    new MetricsFace(Daemon.AUTHORITY, "authority"),
                                    new HelperFace()))
                    .toList();

    /** A call that a plain user is not authorized for. */
    static final EntryPoint START =
            DBusFace.onBus(
                    "start of a unit",
                    Daemon.MANAGER,
                    "org.freedesktop.systemd1",
                    new Question(
                            "/org/freedesktop/systemd1",
                            "org.freedesktop.systemd1.Manager",
                            "StartUnit",
                            List.of("dbus.service", "replace")));

    private Faces() {}
}
