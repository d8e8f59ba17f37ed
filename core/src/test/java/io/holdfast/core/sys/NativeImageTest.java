package io.holdfast.core.sys;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.SameOnEveryKernel;
import java.io.InputStream;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * The jar tells native-image which downcalls to prepare: the shapes of {@link Libc}, through which
 * every function is called but one of {@link Library}'s, of liblzma.
 */
@SameOnEveryKernel
class NativeImageTest {
    private static final String METADATA =
            "/META-INF/native-image/io.holdfast/holdfast-core/reachability-metadata.json";

    @Test
    void theMetadataHasEachShapeOfADowncall() throws Exception {
        List<String> shapes = new ArrayList<>();
        for (Field field : Libc.class.getDeclaredFields()) {
            if (field.getType() == FunctionDescriptor.class) {
                field.setAccessible(true);
                shapes.add(entry((FunctionDescriptor) Objects.requireNonNull(field.get(null))));
            }
        }
        assertThat(shapes).isNotEmpty();
        assertThat(metadata().replaceAll("\\s", ""))
                .isEqualTo("{\"foreign\":{\"downcalls\":[" + String.join(",", shapes) + "]}}");
    }

    private static String entry(FunctionDescriptor shape) {
        return shape.argumentLayouts().stream()
                .map(NativeImageTest::type)
                .collect(
                        Collectors.joining(
                                ",",
                                "{\"returnType\":"
                                        + type(shape.returnLayout().orElseThrow())
                                        + ",\"parameterTypes\":[",
                                "],\"options\":{\"captureCallState\":true}}"));
    }

    private static String type(MemoryLayout layout) {
        return "\"" + ((ValueLayout) layout).carrier().getName() + "\"";
    }

    private static String metadata() throws Exception {
        try (InputStream in = NativeImageTest.class.getResourceAsStream(METADATA)) {
            return new String(
                    Objects.requireNonNull(in, METADATA).readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
