package io.holdfast.authority.client;

import io.holdfast.core.process.PidFd;
import io.holdfast.dbus.address.BusAddress;
import java.util.Map;

/** A program that checks its own authorization with two authorities, and prints their decisions. */
final class AskingProgram {
    private AskingProgram() {}

    static void main(String[] arguments) {
        try (PidFd self = PidFd.self();
                Authority overVarlink = Authority.overVarlink(arguments[0]);
                Authority overBus = Authority.overBus(BusAddress.parseList(arguments[1]))) {
            for (Authority each : new Authority[] {overVarlink, overBus}) {
                Decision decision = each.check(self, 4711, "a.yes", Map.of()).join();
                System.out.println(decision.failure().orElse("" + decision.isAuthorized()));
            }
        }
    }
}
