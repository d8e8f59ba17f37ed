package io.holdfast.core.testkit;

import java.io.IOException;
import java.io.StringWriter;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/**
 * A program of somebody who compiles it with {@code -Xlint:all -Werror}, and has our classes and
 * nothing else: none of the annotations that we have. It gets a warning for each annotation with a
 * value in a class that it uses, so public classes say in comments what guards their fields.
 */
public final class StrictConsumer {
    private static final Path MODULE_INFO = Path.of("src", "main", "java", "module-info.java");
    private static final Pattern EXPORTED = Pattern.compile("exports ([a-z0-9.]+);");

    private StrictConsumer() {}

    /**
     * Compiles sources.
     *
     * @param folder for the classes
     * @param libraries a class of each module that the program has
     * @param sources by the paths of their files
     * @return what the compiler says; empty if it is content
     */
    public static String complaints(
            Path folder, List<Class<?>> libraries, Map<String, String> sources) {
        JavaCompiler compiler = Objects.requireNonNull(ToolProvider.getSystemJavaCompiler());
        List<String> options =
                List.of(
                        "-Xlint:all",
                        "-Werror",
                        "-parameters",
                        "-proc:none",
                        "-d",
                        folder.toString(),
                        "-cp",
                        libraries.stream()
                                .map(type -> placeOf(type).toString())
                                .collect(Collectors.joining(":")));
        StringWriter output = new StringWriter();
        List<JavaFileObject> files = new ArrayList<>();
        sources.forEach((path, text) -> files.add(new Source(path, text)));
        boolean _ = compiler.getTask(output, null, null, options, null, files).call();
        return output.toString();
    }

    /**
     * Compiles a class that uses every public class that the module of this test exports.
     *
     * @param folder for the classes
     * @param libraries a class of each module that the program has; that of this test first
     * @return what the compiler says; empty if it is content
     */
    public static String complaintsAboutAll(Path folder, Class<?>... libraries) throws Exception {
        StringBuilder source = new StringBuilder("package consumer;\n\nclass Consumer {\n");
        List<Class<?>> types = exportedTypes(libraries[0]);
        for (int i = 0; i < types.size(); i++) {
            String name = types.get(i).getCanonicalName();
            String arguments = types.get(i).getTypeParameters().length == 0 ? "" : "<?>";
            source.append("    String of%d(%s%s value) {\n".formatted(i, name, arguments));
            source.append("        return value.toString();\n    }\n");
        }
        source.append("}\n");
        return complaints(
                folder, List.of(libraries), Map.of("consumer/Consumer.java", source.toString()));
    }

    private static List<Class<?>> exportedTypes(Class<?> one) throws Exception {
        List<String> packages =
                EXPORTED.matcher(Files.readString(MODULE_INFO))
                        .results()
                        .map(found -> found.group(1))
                        .toList();
        List<Class<?>> types = new ArrayList<>();
        for (String name : packages) {
            for (String simple : classesIn(placeOf(one).resolve(name.replace('.', '/')))) {
                Class<?> type = Class.forName(name + "." + simple, false, one.getClassLoader());
                if (isPublic(type)) {
                    types.add(type);
                }
            }
        }
        if (types.isEmpty()) {
            throw new IllegalStateException(MODULE_INFO + " exports nothing");
        }
        return types;
    }

    private static List<String> classesIn(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".class") && !name.equals("package-info.class"))
                    .map(name -> name.substring(0, name.length() - ".class".length()))
                    .sorted()
                    .toList();
        }
    }

    private static boolean isPublic(Class<?> type) {
        return Modifier.isPublic(type.getModifiers())
                && !type.isAnonymousClass()
                && !type.isLocalClass()
                && (type.getDeclaringClass() == null || isPublic(type.getDeclaringClass()));
    }

    private static Path placeOf(Class<?> type) {
        return Path.of(
                URI.create(type.getProtectionDomain().getCodeSource().getLocation().toString()));
    }

    private static final class Source extends SimpleJavaFileObject {
        private final String text;

        Source(String path, String text) {
            super(URI.create("string:///" + path), Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }
}
