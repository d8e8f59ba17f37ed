package io.holdfast.varlink;

import io.holdfast.varlink.json.JsonObject;
import java.util.List;

/**
 * What a service says of itself: {@code org.varlink.service.GetInfo}.
 *
 * @param vendor who made the service
 * @param product what the service is called
 * @param version the version of the service
 * @param url where more is said of the service
 * @param interfaces sorted names
 */
public record ServiceInfo(
        String vendor, String product, String version, String url, List<String> interfaces) {
    /** Copies the names. */
    public ServiceInfo {
        interfaces = List.copyOf(interfaces);
    }

    /**
     * {@return what a service says of itself}
     *
     * @param parameters of the reply to {@code GetInfo}
     * @throws io.holdfast.varlink.json.JsonException if a field is missing or has another type
     */
    public static ServiceInfo of(JsonObject parameters) {
        return new ServiceInfo(
                parameters.string("vendor"),
                parameters.string("product"),
                parameters.string("version"),
                parameters.string("url"),
                parameters.strings("interfaces"));
    }

    /** {@return the parameters of the reply to {@code GetInfo}} */
    public JsonObject toJson() {
        return JsonObject.builder()
                .put("vendor", vendor)
                .put("product", product)
                .put("version", version)
                .put("url", url)
                .putStrings("interfaces", interfaces)
                .build();
    }
}
