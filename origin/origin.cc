#include "origin/origin.h"

#include "origin/aws/aws_origins.h"
#include "origin/folder/folder_origin.h"
#include "origin/pool/http_origin.h"

namespace verge::origin {

Result<std::unique_ptr<Origin>> make_origin(const config::Origin& options, const OriginContext& context) {
  switch (options.type) {
    case config::OriginType::http: return make_http_origin(options, context);
    case config::OriginType::folder: return make_folder_origin(options, context);
    case config::OriginType::s3: return make_s3_origin(options, context);
    case config::OriginType::api_gateway: return make_api_gateway_origin(options, context);
    case config::OriginType::lambda: return make_lambda_origin(options, context);
  }
  return fail(Errc::config, "origins." + options.name + ": unknown type");
}

} // namespace verge::origin
