package io.holdfast.core.process;

import io.holdfast.core.sys.CString;
import io.holdfast.core.sys.process.Stdlib;
import java.nio.charset.Charset;
import java.util.LinkedHashMap;
import java.util.Map;

/** The environment of a {@code ProcessBuilder}, as bytes. */
final class SpawnEnvironment {
    /** The charset in which the JVM decodes its environment. */
    private static final Charset OF_JVM =
            Charset.forName(System.getProperty("sun.jnu.encoding", ""), Charset.defaultCharset());

    private SpawnEnvironment() {}

    /**
     * Returns the variables of a builder, in which each variable of this process that the builder
     * has not changed has its own bytes: the builder has them as the JVM decoded them.
     */
    static Map<String, String> of(Map<String, String> builder) {
        Map<String, String> variables = new LinkedHashMap<>(builder);
        Stdlib.environment()
                .forEach((name, value) -> {
                    if (variables.remove(decoded(name), decoded(value))) {
                        variables.put(name, value);
                    }
                });
        return variables;
    }

    private static String decoded(String text) {
        return new String(CString.encode(text), OF_JVM);
    }
}
