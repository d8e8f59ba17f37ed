package io.holdfast.dbus.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Fd;
import io.holdfast.core.testkit.StrictConsumer;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.generate.InterfaceGenerator;
import io.holdfast.dbus.generate.IntrospectionException;
import io.holdfast.dbus.generate.IntrospectionReader;
import io.holdfast.dbus.generate.SourceFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Java source, compiled by a {@link StrictConsumer} with strict compiler options, as a user may.
 */
public final class CompiledSources implements AutoCloseable {
    private final URLClassLoader loader;

    private CompiledSources(URLClassLoader loader) {
        this.loader = loader;
    }

    /**
     * Compiles sources against core and dbus.
     *
     * @param folder the folder for the classes
     */
    public static CompiledSources of(Path folder, List<SourceFile> sources) {
        String complaints = complaints(folder, sources);
        assertThat(complaints).isEmpty();
        try {
            URL[] classes = {folder.toUri().toURL()};
            return new CompiledSources(
                    new URLClassLoader(classes, CompiledSources.class.getClassLoader()));
        } catch (MalformedURLException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Generates the interfaces of an object, and compiles them.
     *
     * @param folder the folder for the classes
     * @param xml the XML that Introspect returned
     */
    public static CompiledSources ofXml(Path folder, String xml) {
        try {
            return of(
                    folder,
                    InterfaceGenerator.generate(
                            IntrospectionReader.read("XML", xml.getBytes(UTF_8))));
        } catch (IntrospectionException e) {
            throw new AssertionError(e);
        }
    }

    /**
     * Compiles files.
     *
     * @param folder the folder for the classes
     * @param root the root of the sources
     */
    public static CompiledSources ofFiles(Path folder, Path root, List<Path> files)
            throws IOException {
        List<SourceFile> sources = new ArrayList<>();
        for (Path file : files) {
            sources.add(new SourceFile(root.relativize(file).toString(), Files.readString(file)));
        }
        return of(folder, sources);
    }

    /** Returns the compiler's messages; empty if there are none. */
    public static String complaints(Path folder, List<SourceFile> sources) {
        Map<String, String> texts = new LinkedHashMap<>();
        sources.forEach(source -> texts.put(source.path(), source.text()));
        return StrictConsumer.complaints(folder, List.of(Fd.class, BusConnection.class), texts);
    }

    /** Returns a compiled class. */
    public Class<?> type(String name) throws ClassNotFoundException {
        return Class.forName(name, true, loader);
    }

    @Override
    public void close() throws IOException {
        loader.close();
    }
}
