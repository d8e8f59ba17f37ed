package io.holdfast.benchmarks;

import java.net.URISyntaxException;
import java.nio.file.Path;

/** Where the sources are: found from where the classes are ({@code benchmarks/target/classes}). */
final class Place {
    static final Path MODULE = module();
    static final Path ROOT = MODULE.resolveSibling(".").normalize();

    private Place() {}

    private static Path module() {
        try {
            Path classes =
                    Path.of(
                            Place.class
                                    .getProtectionDomain()
                                    .getCodeSource()
                                    .getLocation()
                                    .toURI());
            return classes.resolve("../..").normalize().toAbsolutePath();
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }
}
