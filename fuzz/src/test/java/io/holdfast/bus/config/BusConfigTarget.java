package io.holdfast.bus.config;

import static io.holdfast.fuzz.Inputs.require;

import io.holdfast.fuzz.Bounds;
import io.holdfast.fuzz.InputFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Configuration of a bus: read completely, or refused with one line that names the place. */
public final class BusConfigTarget {
    private static final InputFile FILE = InputFile.named("bus.conf");

    private BusConfigTarget() {}

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        Bounds.within(input, BusConfigTarget::check);
    }

    private static void check(byte[] input) throws IOException {
        Path file = FILE.holding(input);
        try {
            List<Path> files = BusConfig.load(file).files();
            require(files.contains(file), "the file is one of those that were read");
        } catch (ConfigException e) {
            require(!String.valueOf(e.getMessage()).contains("\n"), "a refusal is one line");
            require(String.valueOf(e.getMessage()).startsWith(file + ":"), "it names the place");
        }
    }
}
