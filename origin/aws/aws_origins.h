// The three origins that speak AWS: S3 objects, Lambda functions, API Gateway stages. make_origin (origin/origin.h)
// hands over to these by type. What all of them may fail with: config (a field is missing or wrong, credentials can't
// be read); `what` names the field. Objects live on the context's loop.
#pragma once

#include <memory>

#include "config/config.h"
#include "origin/origin.h"
#include "proxy/base/result.h"

namespace verge::origin {

Result<std::unique_ptr<Origin>> make_s3_origin(const config::Origin& options, const OriginContext& context);
Result<std::unique_ptr<Origin>> make_lambda_origin(const config::Origin& options, const OriginContext& context);
Result<std::unique_ptr<Origin>> make_api_gateway_origin(const config::Origin& options, const OriginContext& context);

} // namespace verge::origin
