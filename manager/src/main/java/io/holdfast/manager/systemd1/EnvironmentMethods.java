package io.holdfast.manager.systemd1;

import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.MethodCall;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.access.Permission;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.systemd1.caller.Operations;
import io.holdfast.manager.systemd1.format.Errors;
import io.holdfast.manager.unit.value.Environment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** The methods that change the environment which units inherit. */
final class EnvironmentMethods {
    private final ManagerView manager;
    private final Operations operations;

    EnvironmentMethods(ManagerView manager, Operations operations) {
        this.manager = manager;
        this.operations = operations;
    }

    void addTo(BusInterface.Builder builder) {
        builder.asyncMethod(
                        "SetEnvironment",
                        "as",
                        "",
                        (call, reply) -> change(call, List.of(), texts(call, 0), reply),
                        "assignments")
                .asyncMethod(
                        "UnsetEnvironment",
                        "as",
                        "",
                        (call, reply) -> change(call, texts(call, 0), List.of(), reply),
                        "names")
                .asyncMethod(
                        "UnsetAndSetEnvironment",
                        "asas",
                        "",
                        (call, reply) -> change(call, texts(call, 0), texts(call, 1), reply),
                        "names",
                        "assignments");
    }

    private void change(
            MethodCall call,
            List<String> minus,
            List<String> plus,
            CompletableFuture<List<?>> reply) {
        List<String> removed = minus.stream().map(EnvironmentMethods::name).toList();
        Map<String, String> set = new LinkedHashMap<>();
        for (String word : plus) {
            int equals = word.indexOf('=');
            if (equals < 0 || !Environment.isValue(word.substring(equals + 1))) {
                throw invalid(word);
            }
            set.put(name(word), word.substring(equals + 1));
        }
        Runnable begin =
                () -> {
                    if (!manager.changeEnvironment(removed, set)) {
                        throw new DBusException(
                                DBusException.LIMITS_EXCEEDED,
                                "More than %s variables of the environment are changed; %s"
                                        .formatted(
                                                ManagerLimits.VARIABLES.value(),
                                                ManagerLimits.VARIABLES.remedy()));
                    }
                    reply.complete(List.of());
                };
        operations.permitted(
                call, Permission.SET_ENVIRONMENT, Map.of(), reply, operations.onLoop(reply, begin));
    }

    /** Returns the name of a variable or of an assignment. */
    private static String name(String word) {
        int equals = word.indexOf('=');
        String name = equals < 0 ? word : word.substring(0, equals);
        if (!Environment.isName(name)) {
            throw invalid(word);
        }
        return name;
    }

    private static DBusException invalid(String word) {
        return Errors.invalid("Invalid environment variable or assignment: " + word);
    }

    private static List<String> texts(MethodCall call, int index) {
        List<String> texts = new ArrayList<>();
        for (Object text : call.argument(index, List.class)) {
            texts.add((String) text);
        }
        return texts;
    }
}
