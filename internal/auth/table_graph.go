package auth

// The routes of the Cloud (Graph) API, in the order of its contract. Their paths have no prefix of their own: they begin with
// a version, which may be any and may be missing, or with the id of a node. They are routed below /graph/, without the version
// (Surface.Enter), so that no path of another surface is ever taken for one of theirs.

// graphing are the routes of the Graph API. Each noun has its rows together; a handler checks that the node is one of whoever
// asks.
func graphing() []Route {
	messaging, management, templates := TokenScope(ScopeMessaging), TokenScope(ScopeManagement), TokenScope(ScopeTemplates)
	return append(graphingNumbers(), []Route{
		// Every path that is none: clients need the error object there, too.
		{"GET /graph/{$}", Public},
		{"POST /graph/{$}", Public},

		// Nodes of any kind.
		{"GET /graph/{id}", AnyToken},
		{"POST /graph/{id}", management},
		{"DELETE /graph/{id}", AnyToken},

		// Tokens.
		{"GET /graph/me", AnyToken},
		{"GET /graph/debug_token", AnyToken},
		{"GET /graph/oauth/access_token", Public}, // brings the app's secret
		{"POST /graph/oauth/access_token", Public},

		// The description of the API.
		{"GET /cloud/openapi.json", Public},
		{"GET /cloud/docs", Public},

		// Messages and media.
		{"POST /graph/{id}/messages", messaging},
		{"POST /graph/{id}/marketing_messages", messaging},
		{"POST /graph/{id}/media", messaging},
		{"GET /graph/whatsapp_business/attachments", Public}, // the link is signed

		// Files in parts, for templates and profiles.
		{"POST /graph/{id}/uploads", AnyToken},

		// Where webhooks go.
		{"GET /graph/{id}/subscribed_apps", management},
		{"POST /graph/{id}/subscribed_apps", management},
		{"DELETE /graph/{id}/subscribed_apps", management},
		{"GET /graph/{id}/subscriptions", AppToken},
		{"POST /graph/{id}/subscriptions", AppToken},
		{"DELETE /graph/{id}/subscriptions", AppToken},

		// Templates.
		{"GET /graph/{id}/message_templates", templates},
		{"POST /graph/{id}/message_templates", templates},
		{"DELETE /graph/{id}/message_templates", templates},
		{"POST /graph/{id}/upsert_message_templates", templates},
		{"GET /graph/{id}/message_template_previews", templates},
		{"POST /graph/{id}/unpause", templates},
		{"GET /graph/{id}/template_analytics", templates},
		{"GET /graph/{id}/compare", templates},
		{"GET /graph/message_template_library", AnyToken},

		// Flows.
		{"GET /graph/{id}/flows", management},
		{"POST /graph/{id}/flows", management},
		{"POST /graph/{id}/migrate_flows", management},
		{"GET /graph/{id}/assets", management},
		{"POST /graph/{id}/assets", management},
		{"POST /graph/{id}/publish", management},
		{"POST /graph/{id}/deprecate", management},
		{"GET /graph/whatsapp_business/flow_assets", Public}, // the link is signed
		{"GET /graph/{id}/whatsapp_business_encryption", management},
		{"POST /graph/{id}/whatsapp_business_encryption", management},

		// Businesses and users.
		{"GET /graph/{id}/owned_whatsapp_business_accounts", management},
		{"GET /graph/{id}/client_whatsapp_business_accounts", management},
		{"GET /graph/{id}/assigned_whatsapp_business_accounts", management},
		{"GET /graph/{id}/assigned_users", management},
		{"POST /graph/{id}/assigned_users", management},
		{"DELETE /graph/{id}/assigned_users", management},
		{"GET /graph/{id}/extendedcredits", management},
	}...)
}

// graphingNumbers are the routes about numbers.
func graphingNumbers() []Route {
	messaging, management := TokenScope(ScopeMessaging), TokenScope(ScopeManagement)
	return []Route{
		// Numbers.
		{"GET /graph/{id}/phone_numbers", management},
		{"POST /graph/{id}/phone_numbers", management},
		{"POST /graph/{id}/register", management},
		{"POST /graph/{id}/deregister", management},
		{"POST /graph/{id}/request_code", management},
		{"POST /graph/{id}/verify_code", management},
		{"GET /graph/{id}/whatsapp_business_profile", management},
		{"POST /graph/{id}/whatsapp_business_profile", management},
		{"GET /graph/whatsapp_business/photos", Public}, // the link is signed

		// Whom a number has blocked.
		{"GET /graph/{id}/block_users", messaging},
		{"POST /graph/{id}/block_users", messaging},
		{"DELETE /graph/{id}/block_users", messaging},

		// What else a number has.
		{"GET /graph/{id}/settings", management},
		{"POST /graph/{id}/settings", management},
		{"GET /graph/{id}/whatsapp_commerce_settings", management},
		{"POST /graph/{id}/whatsapp_commerce_settings", management},
		{"POST /graph/{id}/conversational_automation", management},
		{"GET /graph/{id}/username", management},
		{"POST /graph/{id}/username", management},
		{"DELETE /graph/{id}/username", management},
		{"GET /graph/{id}/business_compliance_info", management},
		{"POST /graph/{id}/business_compliance_info", management},
		{"GET /graph/{id}/official_business_account", management},
		{"POST /graph/{id}/official_business_account", management},

		// What is always refused, by an error of the contract.
		{"POST /graph/{id}/calls", messaging},
		{"GET /graph/{id}/call_permissions", messaging},
		{"GET /graph/{id}/groups", messaging},
		{"POST /graph/{id}/groups", messaging},
		{"GET /graph/{id}/message_history", messaging},
		{"POST /graph/{id}/messages_encrypted", messaging},
		{"POST /graph/{id}/migrate_message_templates", management},

		// QR codes.
		{"GET /graph/{id}/message_qrdls", management},
		{"POST /graph/{id}/message_qrdls", management},
		{"GET /graph/{id}/message_qrdls/{code}", management},
		{"DELETE /graph/{id}/message_qrdls/{code}", management},
		{"GET /graph/whatsapp_business/qr_codes", Public}, // the link is signed
	}
}
