package io.holdfast.varlink;

import io.holdfast.varlink.json.JsonObject;
import java.util.List;

/**
 * The description of a service: the reply to {@code org.varlink.service.GetInfo}.
 *
 * @param vendor the vendor of the service
 * @param product the name of the service
 * @param version the version of the service
 * @param url the address of the service's documentation
 * @param interfaces the names of its interfaces, sorted
 */
public record ServiceInfo(
        String vendor, String product, String version, String url, List<String> interfaces) {
    /** Copies the names. */
    public ServiceInfo {
        interfaces = List.copyOf(interfaces);
    }

    /**
     * {@return the description in a reply}
     *
     * @param parameters the parameters of the reply to {@code GetInfo}
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
