package io.holdfast.varlink;

import java.util.List;

/**
 * What a service says of itself: {@code org.varlink.service.GetInfo}.
 *
 * @param interfaces sorted names
 */
public record ServiceInfo(
        String vendor, String product, String version, String url, List<String> interfaces) {
    public ServiceInfo {
        interfaces = List.copyOf(interfaces);
    }

    static ServiceInfo of(JsonObject parameters) {
        return new ServiceInfo(
                parameters.string("vendor"),
                parameters.string("product"),
                parameters.string("version"),
                parameters.string("url"),
                parameters.strings("interfaces"));
    }

    JsonObject toJson() {
        return JsonObject.builder()
                .put("vendor", vendor)
                .put("product", product)
                .put("version", version)
                .put("url", url)
                .putStrings("interfaces", interfaces)
                .build();
    }
}
