package io.holdfast.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The pages of the checkout: Markdown files in its root and below {@code docs}. */
final class Pages {
    static final Path CHECKOUT = Path.of("..");

    private Pages() {}

    /** Returns all pages, except those of the modules and of the examples. */
    static List<Path> all() throws IOException {
        try (Stream<Path> root = Files.list(CHECKOUT);
                Stream<Path> docs = Files.walk(CHECKOUT.resolve("docs"))) {
            return Stream.concat(root, docs)
                    .filter(file -> file.toString().endsWith(".md"))
                    .sorted()
                    .toList();
        }
    }

    static String text(String page) throws IOException {
        return Files.readString(CHECKOUT.resolve(page));
    }
}
