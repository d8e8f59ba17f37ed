package io.holdfast.bus.service;

import static io.holdfast.fuzz.Inputs.require;

import io.holdfast.bus.config.ConfigException;
import io.holdfast.dbus.marshal.Syntax;
import io.holdfast.fuzz.Bounds;
import io.holdfast.fuzz.InputFile;
import io.holdfast.fuzz.Inputs;
import java.io.IOException;
import java.nio.file.Path;

/** Service files of a bus: a service that can be activated, or refused with the place. */
public final class ServiceFileTarget {
    private static final InputFile FILE = InputFile.named("a.b.service");

    private ServiceFileTarget() {}

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        Bounds.within(input, ServiceFileTarget::check);
    }

    private static void check(byte[] input) throws IOException {
        int selector = Inputs.selector(input);
        Path file = FILE.holding(Inputs.rest(input));
        boolean strict = (selector & 1) != 0;
        boolean system = (selector & 2) != 0;
        try {
            ServiceFile service = ServiceFile.load(file, strict, system);
            require(Syntax.isWellKnownName(service.name()), "a name that can be owned");
            require(!strict || service.name().equals("a.b"), "named after its file");
            require(
                    !service.exec().isEmpty() || service.systemdService() != null,
                    "it can be started");
        } catch (ConfigException e) {
            require(!String.valueOf(e.getMessage()).contains("\n"), "a refusal is one line");
        }
    }
}
