package io.holdfast.benchmarks.frame;

import java.net.URISyntaxException;
import java.nio.file.Path;

/**
 * The folders of the sources, derived from the place of the classes ({@code
 * benchmarks/target/classes}).
 */
public final class SourceTree {
    public static final Path MODULE = module();
    public static final Path ROOT = MODULE.resolveSibling(".").normalize();

    private SourceTree() {}

    private static Path module() {
        try {
            Path classes =
                    Path.of(
                            SourceTree.class
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
