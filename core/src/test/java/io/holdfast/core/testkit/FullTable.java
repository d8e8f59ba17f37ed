package io.holdfast.core.testkit;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.process.Resource;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.process.SysResource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The table of descriptors of this JVM, which is to be one of its own ({@link ChildJvm}): small,
 * and filled at will. By one thread.
 */
public final class FullTable {
    private static final List<Fd> HOG = new ArrayList<>();

    private FullTable() {}

    /**
     * Makes it small, for good.
     *
     * @param modules as for {@link #load}
     */
    public static void limit(int most, Class<?>... modules) throws Exception {
        load(modules);
        ErrnoException.check(
                SysResource.setLimit(0, Resource.NOFILE.number(), most, most), "prlimit", most);
    }

    /**
     * Loads what is loaded later from a folder of classes, which needs a descriptor then.
     *
     * @param modules a class of each folder
     */
    public static void load(Class<?>... modules) throws Exception {
        for (Class<?> one : modules) {
            loadAllBeside(one);
        }
    }

    private static void loadAllBeside(Class<?> one) throws Exception {
        Path root = Path.of(one.getProtectionDomain().getCodeSource().getLocation().toURI());
        if (!Files.isDirectory(root)) {
            return; // a jar, which stays open
        }
        for (Path file : classes(root.resolve("io/holdfast"))) {
            String name = root.relativize(file).toString().replace('/', '.');
            name = name.substring(0, name.length() - ".class".length());
            if (!name.endsWith("-info") && !name.contains("Test")) {
                Class<?> ignored = Class.forName(name, false, one.getClassLoader());
            }
        }
    }

    private static List<Path> classes(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(".class")).toList();
        }
    }

    /** Fills it, but for so many. */
    public static void fill(int spare) {
        try {
            while (true) {
                HOG.add(Fcntl.open("/dev/null", 0));
            }
        } catch (ErrnoException e) {
            for (int i = 0; i < spare; i++) {
                HOG.removeLast().close();
            }
        }
    }

    /** Takes out what it was filled with. */
    public static void empty() {
        HOG.forEach(Fd::close);
        HOG.clear();
    }
}
